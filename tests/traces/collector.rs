//! A collector of traces that remembers what it was sent.

use actix_web::{App, HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use std::{
    net::TcpListener,
    sync::Mutex,
    time::{Duration, Instant},
};

/// What all collectors were sent: the resource of each span, and the span.
static TAKEN: Mutex<Vec<(Vec<KeyValue>, Span)>> = Mutex::new(Vec::new());
/// How long a span may be on its way.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts one; its address.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = || App::new().app_data(web::PayloadConfig::new(1 << 22)).route("/v1/traces", web::post().to(take));
    let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
    actix_web::rt::spawn(server.run());
    address
}

async fn take(body: web::Bytes) -> HttpResponse {
    let request = ExportTraceServiceRequest::decode(body.as_ref()).unwrap();
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let spans = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        TAKEN.lock().unwrap().extend(spans.map(|span| (resource.clone(), span)));
    }
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    HttpResponse::Ok().content_type("application/x-protobuf").body(answer)
}

/// The spans of a trace so far.
pub fn taken(trace: &str) -> Vec<Span> {
    let taken = TAKEN.lock().unwrap();
    taken.iter().filter(|(_, span)| hex(&span.trace_id) == trace).map(|(_, span)| span.clone()).collect()
}

/// The attributes of the resource that a trace came from.
pub fn resource(trace: &str) -> Vec<(String, String)> {
    let taken = TAKEN.lock().unwrap();
    attributes(&taken.iter().find(|(_, span)| hex(&span.trace_id) == trace).unwrap().0)
}

/// The spans of a trace, once the one that is named is among them.
pub async fn spans_with(trace: &str, name: &str) -> Vec<Span> {
    let began = Instant::now();
    loop {
        let spans = taken(trace);
        if spans.iter().any(|span| span.name == name) {
            return spans;
        }
        assert!(began.elapsed() < PATIENCE, "no {name} in {trace}, but {spans:?}");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Names and values, in order.
pub fn attributes(all: &[KeyValue]) -> Vec<(String, String)> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let mut pairs: Vec<_> = all.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect();
    pairs.sort();
    pairs
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
