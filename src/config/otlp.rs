//! The collector of traces, as settings.

use super::{Misconfigured, filled};

/// The collector that traces of requests are exported to, by OpenTelemetry's protocol OTLP over HTTP.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct OtlpConfig {
    /// Its address, such as `http://localhost:4318`; `/v1/traces` is put behind it. Without one nothing is exported.
    /// Needs a program that was built with the feature `otlp`.
    #[config(env = "TWOFOLD_OTLP_ENDPOINT", parse_env = filled)]
    pub endpoint: Option<String>,

    /// The name that traces are found under there.
    #[config(env = "TWOFOLD_OTLP_SERVICE_NAME", default = "twofold")]
    pub service_name: String,
}

impl OtlpConfig {
    /// # Errors
    /// When the address is none of HTTP or holds a password, or this program cannot export.
    pub fn check(&self) -> Result<(), Misconfigured> {
        let refuse = |text: &str| Err(Misconfigured(text.to_owned()));
        match self.endpoint.as_deref() {
            None => Ok(()),
            Some(_) if !cfg!(feature = "otlp") => refuse(
                "TWOFOLD_OTLP_ENDPOINT asks for traces, and this program was built without them; build it with the \
                 feature `otlp`",
            ),
            // It is repeated in the log when the collector does not answer.
            Some(url) if url.contains('@') => refuse(
                "TWOFOLD_OTLP_ENDPOINT must hold no password; what the collector asks for goes into \
                 OTEL_EXPORTER_OTLP_HEADERS",
            ),
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => Ok(()),
            Some(_) => refuse("TWOFOLD_OTLP_ENDPOINT must begin with http:// or https://"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_http_and_holds_no_password() {
        let told = |url: &str| {
            let config = OtlpConfig { endpoint: Some(url.to_owned()), service_name: "twofold".to_owned() };
            config.check().err().map(|error| error.0).unwrap_or_default()
        };
        if !cfg!(feature = "otlp") {
            assert!(told("http://localhost:4318").contains("the feature `otlp`"));
            return;
        }
        assert_eq!(told("http://localhost:4318"), "");
        assert_eq!(told("https://collector.example/otlp"), "");
        assert!(told("localhost:4317").contains("https://"));
        let sentence = told("https://bob:hunter2@collector.example");
        assert!(sentence.contains("no password") && !sentence.contains("hunter2"), "{sentence}");
    }
}
