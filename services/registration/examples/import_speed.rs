//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)]
use std::time::Instant;
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Clock, Executor, Writer};
use ryggrad_registration::CONTEXT;
use ryggrad_registration::register::import::{Import, Options, SOURCE};
use ryggrad_registration::register::{brreg, population::Population};
use sqlx::postgres::PgPoolOptions;

fn rss() -> String {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines().filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM")).collect::<Vec<_>>().join(" ")
}
fn cpu() -> (u64, u64) {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse().unwrap(), f[12].parse().unwrap())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args: Vec<u32> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (organisations, others) = (args[0], args[1]);
    let dir = std::path::PathBuf::from(format!("/tmp/import_speed_{organisations}_{others}"));
    if !dir.exists() {
        let t = Instant::now();
        Population::try_new(organisations, others, 1).unwrap().write_files(&dir, &mut |_| {}).unwrap();
        println!("written in {:?}", t.elapsed());
    }
    let files = vec![dir.join("enheter.json.gz"), dir.join("frivillige-organisasjoner.ndjson.gz")];
    let pg = ryggrad_testkit::private_postgres().await;
    let owner = PgPoolOptions::new().max_connections(4).connect(&pg.url_as("ryggrad").unwrap()).await.unwrap();
    schema::migrate(&owner, &[Role { name: "ryggrad_registration", context: Some(CONTEXT) }]).await.unwrap();
    let pool = PgPoolOptions::new().max_connections(8).connect(&pg.url_as("ryggrad_registration").unwrap()).await.unwrap();
    println!("before {}", rss());
    for round in 0..3 {
        let writer = Writer::spawn(&pool, CONTEXT);
        let executor = Executor::new(pool.clone(), writer, Clock::system());
        let options = Options { reader: brreg::Options::default(), source: SOURCE, fetched_at: jiff::Timestamp::now(), report: "/tmp/import_speed.ndjson".into() };
        let t = Instant::now();
        let c = cpu();
        let s = Import::new(pool.clone(), executor, options).run(&files, |_| {}).await.unwrap();
        let e = t.elapsed();
        let c2 = cpu();
        println!("round {round}: {e:?} {:.0}/s cpu user {} sys {} ticks; events {} new {} unchanged {} read {} {}", f64::from(organisations) / e.as_secs_f64(), c2.0 - c.0, c2.1 - c.1, s.events, s.new, s.unchanged, s.read, rss());
    }
    let (size, ): (String,) = sqlx::query_as("select pg_size_pretty(pg_total_relation_size('log.events'))").fetch_one(&owner).await.unwrap();
    println!("{size}");
}
