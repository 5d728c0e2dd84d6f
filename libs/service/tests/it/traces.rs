//! Traces reach a collector, under the client's own.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use ryggrad_service::{LogFormat, TelemetryArgs, telemetry};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::{http, server};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A collector that remembers the trace id and the name of every span.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, String)>>>);

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
            .flat_map(|resource| resource.scope_spans);
        let mut seen = self.0.lock().expect("nobody panics with it");
        for span in spans.flat_map(|scope| scope.spans) {
            let trace = uuid::Uuid::from_slice(&span.trace_id).map(|id| id.simple().to_string());
            seen.push((trace.unwrap_or_default(), span.name));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requests_span_is_sent_under_the_clients_trace_before_the_role_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let collector = Collector::default();
    let service = TraceServiceServer::new(collector.clone());
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let args = TelemetryArgs {
        log: "off".to_owned(),
        log_format: LogFormat::Json,
        otlp_endpoint: Some(format!("http://{address}")),
    };
    let telemetry = telemetry::start(&args, "test").expect("started");

    let server = server::start().await;
    let head = format!(
        "GET /v1/admin/parked HTTP/1.1\r\nhost: test\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01\r\nconnection: close\r\n\r\n"
    );
    let answer = http::send(server.address, &head, b"").await;
    assert!(answer.body.contains(TRACE), "{answer:?}");
    telemetry.shutdown().await;

    let seen = collector.0.lock().expect("nobody panics with it").clone();
    assert!(
        seen.contains(&(TRACE.to_owned(), "/v1/admin/parked".to_owned())),
        "{seen:?}"
    );
}
