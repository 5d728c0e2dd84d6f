//! Prometheus metrics: one recorder in the process, its text, and the names that the chassis itself counts under.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds that a request took, by protocol and outcome.
pub const REQUEST_SECONDS: &str = "ryggrad_request_seconds";
/// Connections open now.
pub const CONNECTIONS: &str = "ryggrad_connections";
/// Connections that were cut, by reason.
pub const CONNECTIONS_CUT: &str = "ryggrad_connections_cut_total";
/// Tokens that proved nobody.
pub const TOKENS_REFUSED: &str = "ryggrad_tokens_refused_total";
/// Looks at the issuer's keys, by outcome.
pub const KEY_FETCHES: &str = "ryggrad_issuer_key_fetches_total";

/// Upper bounds in seconds for everything named `…_seconds`: from a commit without wait to a client that gave up.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];
/// Upper bounds for everything named `…_size`.
const SIZES: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0];

/// Installs the recorder at the first call and gives its handle every time.
///
/// # Panics
/// When another crate has installed a recorder of its own.
pub fn handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES))
            .expect("the bounds are not empty")
            .install_recorder()
            .expect("nobody else installs a metrics recorder");
        metrics::describe_histogram!(
            REQUEST_SECONDS,
            metrics::Unit::Seconds,
            "time from a request's head to its answer's head"
        );
        metrics::describe_gauge!(CONNECTIONS, "connections open now");
        metrics::describe_counter!(CONNECTIONS_CUT, "connections that were cut");
        metrics::describe_counter!(TOKENS_REFUSED, "tokens that proved nobody");
        metrics::describe_counter!(KEY_FETCHES, "looks at the issuer's keys");
        handle
    })
}

/// Folds what was measured into the buckets now and then, so that memory stays bounded when nobody scrapes.
pub async fn upkeep() {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        handle().run_upkeep();
    }
}
