//! `demo --sandbox`: an installation with known secrets for whoever integrates with the service, and beside it the
//! listener that tells them. A reset is another installation at the same address.

mod people;
mod postbox;

use super::{
    Failure,
    demo::{self, Folder},
    logging, mail, out, rooms, system_clock,
};
use crate::{
    actions::{Cx, Rooms, clock::Tell},
    config::{Config, LogFormat},
    crypto::keyfile::{KeyFile, SigningAlgorithm},
    domain::egress::Egress,
    http::{
        sandbox::{
            self, Sandbox,
            known::{CLIENT, HOOK, PASSWORD, PEOPLE},
        },
        server::{Application, Handle, runtime},
    },
    store,
    worker::{outbox, reminders, webhooks::Webhooks},
};
use postbox::Postbox;
use runtime::task::JoinHandle;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
};
use tokio::sync::{Notify, mpsc};

/// One installation, as long as nobody asks for another one.
struct Round {
    address: SocketAddr,
    handle: Handle,
    serving: JoinHandle<io::Result<()>>,
    beside: Vec<JoinHandle<()>>,
    _folder: Folder,
}

/// Serves at `listen`, and the sandbox at the port after it, until SIGTERM or SIGINT.
pub fn run(listen: SocketAddr) -> Result<(), Failure> {
    if !listen.ip().is_loopback() {
        return Err(Failure::configuration(
            "everybody knows the secrets of a sandbox: it listens on this machine alone",
        ));
    }
    logging::start("warn", LogFormat::Text);
    runtime::System::new().block_on(async {
        // A port of 0 takes a free one.
        let port = if listen.port() == 0 { 0 } else { listen.port().saturating_add(1) };
        let listener = TcpListener::bind((listen.ip(), port))?;
        let (resets, mut asked) = mpsc::channel(1);
        let sandbox = Arc::new(Sandbox::new(listener.local_addr()?, system_clock(), resets));
        let mut rounds = 0;
        let mut round = Round::begin(&sandbox, listen, rounds).await?;
        let _ = sandbox.service.set(round.address);
        let server = sandbox::server(sandbox.clone(), listener)?;
        let handle = server.handle();
        runtime::spawn(server);
        introduce(round.address, sandbox.address);
        loop {
            tokio::select! {
                ended = &mut round.serving => {
                    handle.stop(false).await;
                    return Ok(ended.map_err(Failure::new)??);
                }
                Some(done) = asked.recv() => {
                    let address = round.address;
                    round.end().await?;
                    sandbox.begin_anew();
                    rounds += 1;
                    round = Round::begin(&sandbox, address, rounds).await?;
                    // Whoever asked may be gone.
                    let _ = done.send(());
                }
            }
        }
    })
}

impl Round {
    async fn begin(sandbox: &Arc<Sandbox>, listen: SocketAddr, n: usize) -> Result<Self, Failure> {
        let folder = Folder::make(n)?;
        // Tests sign in often, from one address; the ledger of guesses is as it is elsewhere.
        let mut config = Config { listen, auth_per_minute: 0, ..demo::config(&folder)? };
        store::migrate(&config.location()?)?;
        let clock = sandbox.clone();
        let tell: Tell = Arc::new(move || clock.now());
        let mut rooms = rooms(&config, &KeyFile::generate(SigningAlgorithm::default(), true)?, tell)?;
        rooms.outbox.mails = true;
        // Receivers are on this machine.
        rooms.egress = Egress { private: true, plain: true };
        let rooms = Arc::new(rooms);
        people::add(&Cx::new(rooms.clone(), demo::origin())?, sandbox.address).await?;
        let application = Application::build(&config, rooms.clone())?;
        let (address, handle) = (application.address, application.handle());
        config.mail.public_url = Some(format!("http://{address}"));
        let postbox = Postbox { sandbox: sandbox.clone(), letters: mail::letters(&config)? };
        let serving = runtime::spawn(application.run());
        Ok(Self { address, handle, serving, beside: beside(sandbox, &rooms, postbox)?, _folder: folder })
    }

    /// Ends it; what it had in hand is dropped.
    async fn end(self) -> Result<(), Failure> {
        self.handle.stop(false).await;
        self.serving.await.map_err(Failure::new)??;
        for task in self.beside {
            task.abort();
            let _ = task.await;
        }
        Ok(())
    }
}

/// What happens beside the requests.
fn beside(sandbox: &Arc<Sandbox>, rooms: &Arc<Rooms>, postbox: Postbox) -> Result<Vec<JoinHandle<()>>, Failure> {
    let numbered = Arc::<Notify>::default();
    let webhooks = Rc::new(Webhooks::new(rooms.egress).map_err(Failure::new)?);
    Ok(vec![
        runtime::spawn(outbox::number(rooms.clone(), numbered.clone())),
        runtime::spawn(outbox::deliver(rooms.clone(), Rc::new(postbox), numbered.clone())),
        runtime::spawn(outbox::deliver(rooms.clone(), webhooks, numbered)),
        runtime::spawn(remind(sandbox.clone(), rooms.clone())),
    ])
}

/// Reminds owners as soon as the clock was moved, so that no test waits for it.
async fn remind(sandbox: Arc<Sandbox>, rooms: Arc<Rooms>) {
    loop {
        sandbox.moved.notified().await;
        if let Err(stop) = reminders::remind_all(&rooms).await {
            log::warn!("reminders: {stop:?}");
        }
    }
}

/// Says what is there, and how to begin.
fn introduce(service: SocketAddr, sandbox: SocketAddr) {
    out::done(format_args!("The service is at http://{service}, its API in Swagger UI at http://{service}/docs."));
    out::done(format_args!(
        "The sandbox is at http://{sandbox}: a page for you, and http://{sandbox}/sandbox for tests."
    ));
    out::done("Nothing of it is kept, and nothing of it is secret. Ctrl-C ends it.\n");
    out::done(format_args!("Everybody's password is {PASSWORD:?}."));
    for person in &PEOPLE {
        let factor = person.authenticator().map_or("two-factor authentication is off".to_owned(), |(_, secret)| {
            let codes = person.recovery_codes();
            let first = codes.first().map(|code| code.reveal()).unwrap_or_default();
            format!("{}  recovery code {first} and {} more", secret.reveal(), codes.len().saturating_sub(1))
        });
        let scope = if person.scope.is_empty() { String::new() } else { format!("  ({})", person.scope) };
        out::done(format_args!("  {:<20} {factor}{scope}", person.email()));
    }
    out::done(format_args!("The partner's client is {} with the secret {}.", CLIENT.id, CLIENT.secret));
    let (url, secret) = (HOOK.url(sandbox), HOOK.secret().reveal());
    out::done(format_args!("Its webhook is {url}, signed with {secret}.\n"));
    out::done("Sign in, get a partner's token, look at the mails, let a week pass, begin anew:");
    let json = "-H 'Content-Type: application/json'";
    let email = PEOPLE.first().map(|person| person.email()).unwrap_or_default();
    out::done(format_args!(
        "  curl -s {json} http://{service}/auth/login -d '{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}'"
    ));
    out::done(format_args!(
        "  curl -s http://{service}/oauth/token -u {}:{} -d grant_type=client_credentials",
        CLIENT.id, CLIENT.secret
    ));
    out::done(format_args!("  curl -s http://{sandbox}/sandbox/messages"));
    out::done(format_args!("  curl -s {json} http://{sandbox}/sandbox/clock -d '{{\"advance\": 604800}}'"));
    out::done(format_args!("  curl -s -X POST http://{sandbox}/sandbox/reset"));
}
