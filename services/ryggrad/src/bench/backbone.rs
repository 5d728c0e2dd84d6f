//! The product itself, as people run it: `ryggrad up` in a process of its own, with the national population.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ryggrad_client::Connection;
use ryggrad_local::Endpoints;
use ryggrad_local::postgres::OWNER;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{ListProjectionsRequest, RebuildRequest};
use ryggrad_registration::register::population::Population;
use sqlx::{Connection as _, PgConnection};
use tokio::process::{Child, Command};

use crate::running::{Running, Stores};

use super::load::per_second;
use super::report::Report;

/// Organisations in Frivillighetsregisteret, and units in Enhetsregisteret beside them.
const NATION: (u32, u32) = (72_837, 60_000);
/// How long nothing happens before it is measured how much memory is kept.
const REST: Duration = Duration::from_secs(10);
/// How often a state is looked at that takes seconds to come about.
const LOOK: Duration = Duration::from_millis(20);
/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running `ryggrad up`, ended when it is dropped.
pub(super) struct Backbone {
    child: Child,
    pub(super) running: Running,
    folder: PathBuf,
}

// === impl Backbone ===

impl Backbone {
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let state = folder.join("state");
        std::fs::create_dir_all(&state)?;
        let child = program()?
            .args([
                "up",
                "--no-sample",
                "--listen",
                "127.0.0.1:0",
                "--webhook-allow-private",
                "--state",
            ])
            .arg(&state)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let running = Running {
            state,
            url: None,
            token: None,
        };
        let backbone = Self {
            child,
            running,
            folder: folder.to_path_buf(),
        };
        backbone
            .wait("ryggrad up is ready", async || {
                Endpoints::read(&backbone.running.state).is_ok()
            })
            .await?;
        backbone
            .wait("ryggrad up answers", async || match backbone.admin().await {
                Ok(mut admin) => admin.list_projections(ListProjectionsRequest {}).await.is_ok(),
                Err(_) => false,
            })
            .await?;
        Ok(backbone)
    }

    /// Imports a nation by `ryggrad import`, and waits until every view shows it.
    pub(super) async fn import(&self, report: &mut Report) -> anyhow::Result<()> {
        let files = self.population().await?;
        let began = Instant::now();
        let output = program()?
            .args(["import", "brreg", "--json", "--state"])
            .arg(&self.running.state)
            .arg("--refused")
            .arg(self.folder.join("refused.ndjson"))
            .args(&files)
            .stderr(Stdio::inherit())
            .output()
            .await?;
        let elapsed = began.elapsed();
        anyhow::ensure!(output.status.success(), "ryggrad import ended with {}", output.status);
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).context("the summary is JSON")?;
        let organisations = summary["new"].as_u64().context("the summary counts what is new")?;
        report.add("import_organisations", as_f64(organisations));
        report.add("import_per_s", per_second(usize::try_from(organisations)?, elapsed));
        self.wait("the views have caught up", async || {
            self.is_caught_up().await.unwrap_or(false)
        })
        .await?;
        report.add("rss_peak_mb", self.memory_mb("VmHWM")?);
        // A view lets go of what it remembers after a second without events.
        tokio::time::sleep(REST).await;
        report.add("rss_mb", self.memory_mb("VmRSS")?);
        Ok(())
    }

    /// Builds views anew, one after the other, and counts the log's events against the time until the new rows serve.
    pub(super) async fn rebuild(&self, report: &mut Report) -> anyhow::Result<()> {
        for (view, key) in [
            // The simplest view that has rows after an import.
            ("stats_cube", "rebuild_per_s"),
            ("register_case", "rebuild_register_case_per_s"),
            ("municipality_directory", "rebuild_directory_per_s"),
            ("org_timeline", "rebuild_timeline_per_s"),
        ] {
            let mut admin = self.admin().await?;
            let began = Instant::now();
            admin.rebuild(RebuildRequest { name: view.to_owned() }).await?;
            self.wait("the view is built", async || self.is_caught_up().await.unwrap_or(false))
                .await?;
            let elapsed = began.elapsed();
            let events = self
                .projections()
                .await?
                .iter()
                .map(|p| p.head)
                .max()
                .unwrap_or_default();
            report.add(key, per_second(usize::try_from(events)?, elapsed));
        }
        Ok(())
    }

    /// Lets the server write down what the measurements before have left in its memory. Its WAL files are then used again
    /// instead of new ones being made, as on a server that has run for a while.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let mut owner = PgConnection::connect(&self.postgres(OWNER)?).await?;
        sqlx::query("checkpoint").execute(&mut owner).await?;
        owner.close().await?;
        Ok(())
    }

    pub(super) fn http(&self) -> anyhow::Result<String> {
        self.running.http()
    }

    /// The address of PostgreSQL as a role.
    pub(super) fn postgres(&self, role: &str) -> anyhow::Result<String> {
        self.running.postgres_url(&Stores::default(), role)
    }

    /// The address of NATS as a user.
    pub(super) fn nats(&self, user: &str) -> anyhow::Result<String> {
        self.running.nats_url(&Stores::default(), user)
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id() {
            Command::new("kill")
                .args(["-s", "INT", &pid.to_string()])
                .status()
                .await?;
        }
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("ryggrad up does not end")??;
        Ok(())
    }

    async fn population(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folder.join("population");
        std::fs::create_dir_all(&folder)?;
        tokio::task::spawn_blocking(move || {
            let population = Population::try_new(NATION.0, NATION.1, 1)?;
            population.write_files(&folder, &mut |_| {})?;
            let files = std::fs::read_dir(&folder)?
                .map(|entry| Ok(entry?.path()))
                .collect::<anyhow::Result<Vec<_>>>()?;
            anyhow::Ok(
                files
                    .into_iter()
                    .filter(|file| file.extension().is_some_and(|ext| ext == "gz"))
                    .collect(),
            )
        })
        .await?
    }

    async fn admin(&self) -> anyhow::Result<AdminClient<Connection>> {
        Ok(AdminClient::new(self.running.connect().await?))
    }

    async fn projections(&self) -> anyhow::Result<Vec<ryggrad_proto::admin::v1::Projection>> {
        Ok(self
            .admin()
            .await?
            .list_projections(ListProjectionsRequest {})
            .await?
            .into_inner()
            .projections)
    }

    async fn is_caught_up(&self) -> anyhow::Result<bool> {
        let projections = self.projections().await?;
        Ok(!projections.is_empty()
            && projections
                .iter()
                .all(|p| p.state != "building" && p.position == p.head))
    }

    async fn wait(&self, what: &str, so: impl AsyncFn() -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while !so().await {
            anyhow::ensure!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Memory of the process as the kernel counts it under a name, in megabytes (of 1,048,576 bytes): `VmRSS`, what is in RAM
    /// now, or `VmHWM`, the most that ever was.
    pub(super) fn memory_mb(&self, name: &str) -> anyhow::Result<f64> {
        let pid = self.child.id().context("ryggrad up has ended")?;
        let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .context("the kernel tells the memory")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1_024.0)
    }
}

/// This program, to be run again.
fn program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("find this program")?))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
