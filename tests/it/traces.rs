//! One trace from the command to the view and to what falls due half a year later, as a collector sees it.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use ryggrad_proto::admin::v1::AdvanceClockRequest;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::registration::v1::SketchInitiative;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_service::{LogFormat, TelemetryArgs, telemetry};
use ryggrad_testkit::eventually;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::harness::whole;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A collector that remembers the names of the trace's spans.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<BTreeSet<String>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request
            .into_inner()
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans);
        let is_ours = |id: &[u8]| uuid::Uuid::from_slice(id).is_ok_and(|id| id.simple().to_string() == TRACE);
        let mut seen = self.0.lock().expect("nobody panics with it");
        seen.extend(
            spans
                .filter(|span| is_ours(&span.trace_id) || span.links.iter().any(|link| is_ours(&link.trace_id)))
                .map(|span| span.name),
        );
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Traces are sent for a whole process: this one has its own.
#[test]
fn a_trace_goes_from_the_command_to_the_view_and_through_deadlines() {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "traces::process", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .output()
        .expect("started");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other process of the test above"]
async fn process() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let collector = Collector::default();
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let args = TelemetryArgs {
        log: "off".to_owned(),
        log_format: LogFormat::Json,
        otlp_endpoint: Some(format!("http://{address}")),
    };
    let telemetry = telemetry::start(&args, "all").expect("started");

    let whole = whole().await;
    let mut command = Request::new(SketchInitiative {
        title: "Nabohage".to_owned(),
        purpose_text: "Dyrke grønnsaker sammen".to_owned(),
        kommunenummer: "4203".to_owned(),
        language: "nb".to_owned(),
        ..SketchInitiative::default()
    });
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    command
        .metadata_mut()
        .insert("traceparent", parent.parse().expect("a header"));
    RegistrationServiceClient::new(whole.app())
        .sketch_initiative(command)
        .await
        .expect("accepted");
    seen(
        &collector,
        &["append", "publish", "org_timeline", "registration-deadlines"],
    )
    .await;

    let half_a_year = AdvanceClockRequest {
        by: "181d".to_owned(),
        to: None,
    };
    AdminClient::new(whole.connect_as("orch"))
        .advance_clock(half_a_year)
        .await
        .expect("the clock moves");
    seen(&collector, &["command"]).await;
    let owner = whole.owner();
    eventually(Duration::from_mins(1), || async {
        let sql = "select traceparent from log.events where name = 'InitiativePaused'";
        let traceparent: Option<String> = sqlx::query_scalar(sql).fetch_optional(&owner).await?.flatten();
        let traceparent = traceparent.unwrap_or_default();
        anyhow::ensure!(
            traceparent.contains(TRACE),
            "the timer's event is of trace {traceparent:?}"
        );
        anyhow::Ok(())
    })
    .await;
    whole.stack.stop().await;
    telemetry.shutdown().await;
}

/// Waits until the collector has spans of these names in the trace.
async fn seen(collector: &Collector, names: &[&str]) {
    eventually(Duration::from_mins(1), || {
        let seen = collector.0.lock().expect("nobody panics with it").clone();
        let missing: Vec<_> = names.iter().filter(|name| !seen.contains(**name)).collect();
        std::future::ready(if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{missing:?} are not in {seen:?}"))
        })
    })
    .await;
}
