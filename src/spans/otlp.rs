//! Spans by the SDK of the OpenTelemetry project, sent by OTLP over HTTP in batches from a thread of its own.
//!
//! What the SDK reads from the environment by the standard's names is its own affair: the sampler
//! (`OTEL_TRACES_SAMPLER`), more about the resource (`OTEL_RESOURCE_ATTRIBUTES`), and headers that the collector asks
//! for (`OTEL_EXPORTER_OTLP_HEADERS`).

use super::{Caller, Ended, Target};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        FutureExt, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter,
        SpanProcessor,
    },
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Spans that wait or are on their way; more are dropped.
const QUEUE: usize = 4096;
/// How long spans wait for more of them.
const GATHER: Duration = Duration::from_secs(1);
/// The collector has this long to take a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// The end of the program waits this long for what is left: with the drain before it, half a minute is kept.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// What spans are made with; without a collector, nothing is made.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    tally: Arc<Tally>,
    exporting: Option<(SdkTracerProvider, SdkTracer)>,
}

/// What became of spans.
#[derive(Debug, Default)]
struct Tally {
    waiting: AtomicUsize,
    fates: Family<Fated, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fated {
    fate: &'static str,
}

/// The span of a request, which ends when it is dropped; nothing where none is made.
#[derive(Debug)]
pub struct RequestSpan(Context);

impl Spans {
    /// Starts the thread that exports, where there is a collector.
    ///
    /// # Errors
    /// When its address is none, or there can be no more threads.
    pub fn start(target: Option<Target>) -> Result<Self, String> {
        let tally = Arc::new(Tally::default());
        let Some(target) = target else { return Ok(Self { tally, exporting: None }) };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}/v1/traces", target.endpoint.trim_end_matches('/')))
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        let exporter = Counted { exporter, tally: tally.clone(), is_failing: AtomicBool::new(false) };
        let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_scheduled_delay(GATHER).build();
        let queue = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let resource = Resource::builder()
            .with_service_name(target.service_name)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("host.name", target.machine))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded { queue, tally: tally.clone() })
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("twofold");
        Ok(Self { tally, exporting: Some((provider, tracer)) })
    }

    /// Hands out how many spans were sent, failed and dropped.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("spans", "Spans of traces by what became of them", self.tally.fates.clone());
    }

    /// Begins the span of a request; in the caller's trace, where it named one, and else in a fresh one.
    pub fn begin(&self, caller: Caller<'_>) -> RequestSpan {
        let Some((_, tracer)) = &self.exporting else { return RequestSpan(Context::new()) };
        let parent = remote(caller).map_or_else(Context::new, |of| Context::new().with_remote_span_context(of));
        let span = tracer.span_builder("request").with_kind(SpanKind::Server).start_with_context(tracer, &parent);
        // The tracer goes with the request, so that whoever works for it finds it.
        RequestSpan(Context::new().with_span(span).with_value(tracer.clone()))
    }

    /// Sends what is left, but does not wait for ever; it blocks.
    pub fn stop(&self) {
        if let Some((provider, _)) = &self.exporting
            && let Err(error) = provider.shutdown_with_timeout(LAST_PATIENCE)
        {
            log::warn!("the last spans of traces were not sent: {error}");
        }
    }
}

fn remote(caller: Caller<'_>) -> Option<SpanContext> {
    let flags = if caller.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from_hex(caller.trace_id).ok()?, SpanId::from_hex(caller.span_id).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

impl RequestSpan {
    /// The trace that it belongs to.
    pub fn trace_id(&self) -> Option<String> {
        let span = self.0.span();
        span.span_context().is_valid().then(|| span.span_context().trace_id().to_string())
    }

    /// Runs `work` so that [`within`] finds this span.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        work.with_context(self.0.clone())
    }

    /// Ends it, with the names of the semantic conventions for HTTP servers. `url.path` is not among them, though they
    /// ask for it: it has ids in it.
    pub fn end(self, ended: impl FnOnce() -> Ended) {
        let span = self.0.span();
        if !span.is_recording() {
            return;
        }
        let Ended { method, route, status, problem } = ended();
        let route = route.as_deref().unwrap_or_default();
        span.update_name(format!("{} {route}", method.replace("_OTHER", "HTTP")).trim_end().to_owned());
        span.set_attribute(KeyValue::new("http.request.method", method));
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        span.set_attribute(KeyValue::new("url.scheme", "http"));
        if !route.is_empty() {
            span.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
        if let Some(problem) = problem {
            span.set_attribute(KeyValue::new("twofold.problem", problem));
        }
        // A refusal is an answer; only a fault is an error of the server's.
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", problem.map_or_else(|| status.to_string(), str::to_owned)));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Runs `work` in a span of its own, below that of the request that it is done for; without one, as it is.
pub async fn within<F: Future>(kind: &'static str, name: &'static str, work: F) -> F::Output {
    let begun = Context::map_current(|current| {
        let tracer = current.get::<SdkTracer>().filter(|_| current.span().is_recording())?;
        let name = if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") };
        Some(tracer.start_with_context(name, current))
    });
    let done = work.await;
    drop(begun);
    done
}

/// A queue with an end, so that a collector that is slow costs no memory without bound.
#[derive(Debug)]
struct Bounded {
    queue: BatchSpanProcessor,
    tally: Arc<Tally>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.tally.waiting.fetch_add(1, Ordering::Relaxed) < QUEUE {
            self.queue.on_end(span);
        } else {
            self.tally.gone("dropped", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// An exporter that counts, and says in the log when it begins to fail and when it is well again.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    tally: Arc<Tally>,
    is_failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let outcome = self.exporter.export(batch).await;
        self.tally.gone(if outcome.is_ok() { "sent" } else { "failed" }, spans);
        match (&outcome, self.is_failing.swap(outcome.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => log::warn!("spans of traces are not taken by the collector: {error}"),
            (Ok(()), true) => log::info!("spans of traces are taken by the collector again"),
            _ => {}
        }
        outcome
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl Tally {
    fn gone(&self, fate: &'static str, spans: usize) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        self.fates.get_or_create(&Fated { fate }).inc_by(spans as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn what_a_collector_that_hangs_does_not_take_is_dropped_and_counted() {
        // It accepts, and answers nothing.
        let collector = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/", collector.local_addr().unwrap());
        let target = Target { endpoint, service_name: "twofold".to_owned(), machine: "here".to_owned() };
        let spans = Spans::start(Some(target)).unwrap();
        let mut registry = Registry::default();
        spans.register(&mut registry);
        let caller = Caller { trace_id: "", span_id: "", is_sampled: false };
        let ended = || Ended { method: "GET", route: None, status: 404, problem: None };
        for _ in 0..QUEUE + 7 {
            spans.begin(caller).end(ended);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("spans_total{fate=\"dropped\"} 7\n"), "{text}");
        assert!(!text.contains("sent"), "{text}");
    }
}
