//! The servers: binding, running, draining.

/// What the service runs on; the command line runs its actions on it too.
pub use actix_web::{dev::ServerHandle as Handle, rt as runtime};

use super::{
    address::NetworkLimit,
    body,
    envelope::{self, Envelope},
    metrics::Requests,
    openapi, ops,
    pages::{self, Pages},
    routes::{self, Allowed},
    traffic::Traffic,
    well_known::Document,
};
use crate::{
    actions::Rooms,
    config::Config,
    spans::{Spans, Target},
};
use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header,
    middleware::from_fn,
    web::{self, PayloadConfig},
};
use prometheus_client::registry::Registry;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

/// A client has this long to send the head of its request; the body has a time of its own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Requests in flight have this long after SIGTERM; with what is left to do then, half a minute is kept.
const DRAIN_SECONDS: u64 = 25;
const MAX_CONNECTIONS_A_WORKER: usize = 10_000;
const EXPOSED: [&str; 7] =
    ["ETag", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "Idempotent-Replayed"];

/// The service, bound and ready to run.
pub struct Application {
    public: Server,
    operations: Server,
    /// Where customers' front-ends reach it.
    pub address: SocketAddr,
    /// Where the orchestrator reaches it.
    pub operations_address: SocketAddr,
    /// The requests in flight.
    pub traffic: Arc<Traffic>,
    spans: Spans,
}

impl Application {
    /// Binds both listeners; a port of 0 takes a free one.
    ///
    /// # Errors
    /// When an address cannot be bound, or traces cannot be exported as they should.
    pub fn build(config: &Config, rooms: Arc<Rooms>) -> io::Result<Self> {
        let (public, operations) = (bind(config.listen)?, bind(config.ops_listen)?);
        let (address, operations_address) = (public.local_addr()?, operations.local_addr()?);
        let rooms = web::Data::from(rooms);
        let (traffic, requests) = (Arc::new(Traffic::default()), Requests::default());
        let spans = Spans::start(collector(config))
            .map_err(|error| io::Error::other(format!("cannot export traces: {error}")))?;
        let watched = (traffic.clone(), requests.clone(), spans.clone());
        Ok(Self {
            public: public_server(config, rooms.clone(), watched, public)?,
            operations: operations_server(rooms, &requests, &spans, operations)?,
            address,
            operations_address,
            traffic,
            spans,
        })
    }

    /// A handle to stop the public server with.
    pub fn handle(&self) -> Handle {
        self.public.handle()
    }

    /// Runs until SIGTERM or SIGINT, then lets requests in flight end.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(self) -> io::Result<()> {
        let probes = self.operations.handle();
        let running = runtime::spawn(self.operations);
        let outcome = self.public.await;
        // Its last spans are sent while the probes still answer.
        let spans = self.spans;
        let _ = runtime::task::spawn_blocking(move || spans.stop()).await;
        probes.stop(false).await;
        running.await.map_err(io::Error::other)??;
        outcome
    }
}

fn public_server(
    config: &Config,
    rooms: web::Data<Rooms>,
    (traffic, requests, spans): (Arc<Traffic>, Requests, Spans),
    listener: TcpListener,
) -> io::Result<Server> {
    let document = routes::document();
    let text = openapi::written(&document).map_err(io::Error::other)?;
    let allowed = web::Data::new(Allowed::of(&document));
    drop(document);
    let text = web::Data::new(Document(Arc::from(text)));
    let pages = web::Data::new(Pages::load(config.sign_in, config.docs)?);
    let envelope = web::Data::new(Envelope {
        trusted_proxies: config.trusted_proxies.clone(),
        limit: NetworkLimit::new(config.auth_per_minute, config.auth_burst),
        signs_in: config.sign_in,
        requests,
        traffic,
        spans,
    });
    let origins = config.cors_origins.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(rooms.clone())
            .app_data(allowed.clone())
            .app_data(text.clone())
            .app_data(pages.clone())
            .app_data(envelope.clone())
            .app_data(PayloadConfig::new(body::MAX_BYTES))
            // Last is outermost: the envelope, then origins, so that a browser can read what the door says.
            .wrap(from_fn(envelope::admit))
            .wrap(cors(&origins))
            .wrap(from_fn(envelope::seal))
            .configure(routes::register)
            .configure(pages::register)
            .default_service(web::to(routes::elsewhere))
    });
    Ok(server
        .workers(config.threads())
        .max_connections(MAX_CONNECTIONS_A_WORKER)
        .client_request_timeout(REQUEST_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(DRAIN_SECONDS)
        .listen(listener)?
        .run())
}

fn operations_server(
    rooms: web::Data<Rooms>,
    requests: &Requests,
    spans: &Spans,
    listener: TcpListener,
) -> io::Result<Server> {
    let mut registry = Registry::with_prefix("twofold");
    rooms.register(&mut registry);
    requests.register(&mut registry);
    spans.register(&mut registry);
    let registry = web::Data::new(registry);
    let app = move || App::new().app_data(rooms.clone()).app_data(registry.clone()).configure(ops::register);
    let server = HttpServer::new(app);
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let told = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).map_err(told)
}

/// Where traces are exported to, if anywhere.
fn collector(config: &Config) -> Option<Target> {
    let endpoint = config.otlp.endpoint.clone()?;
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(Target { endpoint, service_name: config.otlp.service_name.clone(), machine })
}

/// Exactly the configured origins; without any, browsers of other origins get nothing.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, header::ACCEPT_LANGUAGE])
        .allowed_headers(["Idempotency-Key", "X-Request-Id"])
        .expose_headers(EXPOSED)
        .block_on_origin_mismatch(false)
        .max_age(7200);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
