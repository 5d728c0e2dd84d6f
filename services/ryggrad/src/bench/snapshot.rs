//! Snapshots: how many rows a second a `ryggrad up` hands out of a whole view.

use std::time::Instant;

use anyhow::Context as _;
use ryggrad_proto::views::v1::SnapshotRequest;
use ryggrad_proto::views::v1::snapshot_response::Part;
use ryggrad_proto::views::v1::views_client::ViewsClient;

use super::backbone::Backbone;
use super::load::per_second;
use super::report::Report;

/// A view of open data with a row for each organisation.
const VIEW: &str = "municipality_directory";

/// Fetches the directory of the nation whole over gRPC, as a new follower does.
pub(super) async fn fetch(backbone: &Backbone, report: &mut Report) -> anyhow::Result<()> {
    let mut views = ViewsClient::new(backbone.running.channel().await?);
    let request = SnapshotRequest {
        view: VIEW.to_owned(),
        ..SnapshotRequest::default()
    };
    let began = Instant::now();
    let mut parts = views.snapshot(request).await?.into_inner();
    let (mut rows, mut told) = (0, None);
    while let Some(part) = parts.message().await? {
        match part.part {
            Some(Part::DirectoryEntry(_)) => rows += 1,
            Some(Part::End(end)) => told = Some(end.rows),
            _ => {}
        }
    }
    let elapsed = began.elapsed();
    let told = told.context("the snapshot was cut off")?;
    anyhow::ensure!(rows == told && rows > 0, "{rows} rows came of {told}");
    report.add("snapshot_rows_per_s", per_second(usize::try_from(rows)?, elapsed));
    Ok(())
}
