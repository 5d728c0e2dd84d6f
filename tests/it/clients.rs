//! The clients in other languages: sound by themselves, and against the whole backbone.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use ryggrad::import::import;
use ryggrad::servers;
use ryggrad::trigger::{Brought, Register, Scenario};
use ryggrad_norway::KommuneNumber;
use ryggrad_registration::register::brreg;
use ryggrad_registration::register::import::{Options, SOURCE};
use ryggrad_registration::register::population::Population;
use ryggrad_testkit::{Clients, eventually};
use sqlx::PgPool;
use tokio::process::{Child, Command};

use crate::harness::Whole;

mod cases;
mod killed;
mod payouts;

/// How long something may take, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_mins(2);

/// The clients; other tests go on while they are installed.
async fn clients() -> &'static Clients {
    tokio::task::spawn_blocking(ryggrad_testkit::clients)
        .await
        .expect("the clients are installed")
}

fn python(clients: &Clients, example: &str) -> Command {
    let mut command = Command::new(clients.python());
    command.arg(clients.python_source().join("examples").join(example));
    quiet(command)
}

fn node(clients: &Clients, example: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(clients.typescript().join("build/examples").join(example));
    quiet(command)
}

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.env_remove("RYGGRAD_URL").env_remove("RYGGRAD_TOKEN");
    command
}

/// Runs a program to its end, which must be a good one.
#[track_caller]
fn well(output: &Output) -> String {
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{said}{complained}", output.status);
    said
}

/// Ends a program as the kernel does: it has no say in it.
async fn kill(mut child: Child) {
    child.kill().await.expect("a child of ours");
}

/// A pool of the register's role, and a register on it.
async fn register(whole: &Whole) -> Register {
    Register::new(registration(whole).await, whole.stack.clock().clone())
}

async fn registration(whole: &Whole) -> PgPool {
    servers::pool(whole.addresses.postgres("ryggrad_registration"), "registration", 4)
        .await
        .expect("the role may log in")
}

async fn bring(register: &Register, scenario: Scenario) -> Brought {
    let kommune = KommuneNumber::parse("4203").expect("Arendal");
    register.bring(scenario, kommune).await.expect("it happens")
}

/// Imports made-up organisations through connections of their own.
async fn grow(pool: PgPool, clock: ryggrad_eventlog::Clock, organisations: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let population = Population::try_new(organisations, 0, 7).expect("few enough");
    let files = population.write_files(folder.path(), &mut |_| {}).expect("written");
    let options = Options {
        reader: brreg::Options::default(),
        source: SOURCE,
        fetched_at: clock.now(),
        report: folder.path().join("refused.ndjson"),
    };
    import(&pool, clock, &[files.units, files.voluntary], options)
        .await
        .expect("imported");
}

/// Waits until a file has so many lines.
async fn has_lines(file: &Path, count: usize) {
    eventually(PATIENCE, || {
        let found = std::fs::read_to_string(file).map_or(0, |text| text.matches('\n').count());
        std::future::ready(if found >= count {
            Ok(())
        } else {
            Err(format!("{found} of {count} lines"))
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_is_in_form_typed_and_tested() {
    let clients = clients().await;
    for arguments in [
        &["-m", "ruff", "format", "--check", "."][..],
        &["-m", "ruff", "check", "."],
        &["-m", "mypy"],
        &["-m", "pytest"],
    ] {
        let mut command = quiet(Command::new(clients.python()));
        command.args(arguments).current_dir(clients.python_source());
        let said = well(&command.output().await.expect("Python runs"));
        assert!(!said.contains("skipped"), "{arguments:?} skipped something:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_is_tested_and_works_as_it_is_packed() {
    let clients = clients().await;
    let source = clients.typescript();
    let test = quiet(Command::new("node"))
        .arg("--test")
        .args(["build/test/parts.test.js", "build/test/subscription.test.js"])
        .current_dir(&source)
        .output()
        .await;
    assert!(well(&test.expect("node runs")).contains("# fail 0"));

    let folder = tempfile::tempdir().expect("a folder");
    let user = folder.path();
    let packed = quiet(Command::new("npm"))
        .args(["pack", "--ignore-scripts", "--silent", "--pack-destination"])
        .arg(user)
        .current_dir(&source)
        .output()
        .await;
    let packed = well(&packed.expect("npm runs"));
    let package = user.join("node_modules/ryggrad");
    std::fs::create_dir_all(&package).expect("a folder");
    let unpacked = quiet(Command::new("tar"))
        .args(["--strip-components=1", "-xzf"])
        .arg(user.join(packed.trim()))
        .current_dir(&package)
        .output()
        .await;
    well(&unpacked.expect("tar runs"));
    for dependency in ["@bufbuild", "@grpc"] {
        let here = user.join("node_modules").join(dependency);
        std::os::unix::fs::symlink(source.join("node_modules").join(dependency), here).expect("a link");
    }
    assert!(package.join("dist/index.d.ts").exists() && !package.join("build").exists());
    let program = "
        import { Client, Start } from 'ryggrad';
        import { Verifier } from 'ryggrad/webhooks';
        import { OrganisationDeletedSchema } from 'ryggrad/contracts/ryggrad/registration/v1/organisation_pb';
        console.log(typeof Client, typeof Start.now, typeof Verifier, OrganisationDeletedSchema.typeName);";
    let ran = quiet(Command::new("node"))
        .args(["--input-type=module", "--eval", program])
        .current_dir(user)
        .output()
        .await;
    assert_eq!(
        well(&ran.expect("node runs")).trim(),
        "function function function ryggrad.registration.v1.OrganisationDeleted"
    );
}

#[test]
fn locks_name_versions_and_no_registry() {
    let clients = crate::architecture::root().join("libs/clients");
    let npm = std::fs::read_to_string(clients.join("typescript/package-lock.json")).expect("a lock");
    let lock: serde_json::Value = serde_json::from_str(&npm).expect("JSON");
    let packages = lock["packages"].as_object().expect("packages");
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        assert!(package.get("resolved").is_none(), "{name} says where it is from");
        assert!(
            package["integrity"]
                .as_str()
                .is_some_and(|hash| hash.starts_with("sha512-")),
            "{name}"
        );
    }
    let pip = std::fs::read_to_string(clients.join("python/requirements.lock")).expect("a lock");
    let pins: Vec<_> = pip.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(pins.len() > 10, "{pins:?}");
    assert!(
        pins.iter().all(|pin| pin.contains("==") && !pin.contains("://")),
        "{pins:?}"
    );
}
