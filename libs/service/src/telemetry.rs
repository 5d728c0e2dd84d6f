//! Logs, and traces over OTLP when an endpoint is configured.

use std::io::{IsTerminal, stderr};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::args::{LogFormat, TelemetryArgs};

/// What was started, to be stopped in the end.
#[derive(Debug)]
#[must_use = "the last traces are lost unless it is shut down"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Starts logging to standard error, tracing and metrics for the whole process. Call it inside the runtime.
///
/// # Errors
/// When the log filter or the endpoint cannot be read, or something else has started logging already.
pub fn start(args: &TelemetryArgs, role: &str) -> anyhow::Result<Telemetry> {
    let filter = EnvFilter::builder()
        .parse(&args.log)
        .with_context(|| format!("cannot read the log filter {:?}", args.log))?;
    let traces = args
        .otlp_endpoint
        .as_deref()
        .map(|endpoint| provider(endpoint, role))
        .transpose()?;
    let spans = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("ryggrad"))
            .with_filter(own_spans())
    });
    tracing_subscriber::registry()
        .with(lines(args.log_format).with_filter(filter))
        .with(spans)
        .try_init()
        .context("logging was started twice")?;
    crate::metrics::handle();
    Ok(Telemetry { traces })
}

/// Our own spans only: those of the HTTP stack would be told about, too, when the traces themselves are sent.
fn own_spans() -> FilterFn {
    let own: fn(&Metadata<'_>) -> bool = |metadata| metadata.is_span() && metadata.target().starts_with("ryggrad");
    FilterFn::new(own).with_max_level_hint(LevelFilter::DEBUG)
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let terminal = stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Pretty => false,
    };
    if json {
        fmt::layer().json().flatten_event(true).with_writer(stderr).boxed()
    } else {
        fmt::layer()
            .with_ansi(terminal)
            .with_target(false)
            .with_writer(stderr)
            .boxed()
    }
}

fn provider(endpoint: &str, role: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .with_context(|| format!("cannot send traces to {endpoint}"))?;
    let resource = Resource::builder().with_service_name(format!("ryggrad-{role}")).build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

// === impl Telemetry ===

impl Telemetry {
    /// Sends what is left, waiting for it at most a few seconds.
    pub async fn shutdown(self) {
        let Some(traces) = self.traces else { return };
        let stopped = tokio::task::spawn_blocking(move || traces.shutdown()).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
