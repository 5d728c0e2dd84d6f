//! The relay: log to stream, on a thread of its own, so that views which fold as fast as they can do not hold it up.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::Client;
use ryggrad_eventlog::relay::{Mismatch, Relay};
use ryggrad_eventlog::stream;
use sqlx::PgPool;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Plan, Role, Setting};

/// How often a stream that does not carry the log is looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// What tells how the relay is.
struct Started {
    broker: Client,
    mismatch: watch::Receiver<Option<Mismatch>>,
}

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let asked = setting.plan.pool(Role::Relay).await?;
    let (ready, started) = oneshot::channel();
    let work = publish(
        setting.plan.clone(),
        std::mem::take(&mut setting.committed),
        setting.working.clone(),
        ready,
    );
    let (ended, end) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
        let _gone = ended.send(on_a_runtime_of_its_own(work));
    });
    spawned.context("cannot start a thread")?;
    let Started { broker, mismatch } = started.await.context("the relay's thread ended")??;
    setting.serve(|server| {
        server.ready("relay", move || {
            answers(asked.clone(), broker.clone(), mismatch.borrow().clone())
        })
    });
    setting.tasks.spawn(async move {
        (
            "relay",
            end.await
                .unwrap_or_else(|_| Err(anyhow::anyhow!("the relay has panicked"))),
        )
    });
    Ok(())
}

fn on_a_runtime_of_its_own(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// Connects, says so, and publishes until the token ends. Everything that the relay waits for is made on its own runtime: no other task
/// can keep it from being woken.
async fn publish(
    plan: Plan,
    committed: Vec<watch::Receiver<u64>>,
    token: CancellationToken,
    ready: oneshot::Sender<anyhow::Result<Started>>,
) -> anyhow::Result<()> {
    let connected = async { anyhow::Ok((plan.pool(Role::Relay).await?, plan.nats(Role::Relay).await?)) };
    let (pool, broker) = match connected.await {
        Ok(connected) => connected,
        Err(error) => {
            let _gone = ready.send(Err(error));
            return Ok(());
        }
    };
    // It is only told: nothing waits for the answer.
    tokio::spawn(async move { stream::durability(plan.monitor.as_deref()).await });
    let mut relay = Relay::new(pool, broker.clone()).with_replicas(plan.replicas);
    if !committed.is_empty() {
        relay = relay.woken_by(any_of(committed));
    }
    let mismatch = relay.mismatch();
    let _gone = ready.send(Ok(Started { broker, mismatch }));
    // A person has to look (the relay has said at what), and everybody else goes on from the log meanwhile.
    while relay.run(token.clone()).await.is_err() {
        token.run_until_cancelled(tokio::time::sleep(LOOK)).await;
    }
    Ok(())
}

/// Whether the relay can publish, for `/readyz`.
async fn answers(asked: PgPool, broker: Client, mismatch: Option<Mismatch>) -> Result<(), String> {
    if let Some(mismatch) = mismatch {
        return Err(mismatch.to_string());
    }
    super::answers(asked).await?;
    if stream::is_connected(&broker) {
        Ok(())
    } else {
        Err("the broker is away".to_owned())
    }
}

/// The highest position that any of the writers has committed.
fn any_of(committed: Vec<watch::Receiver<u64>>) -> watch::Receiver<u64> {
    let (highest, any) = watch::channel(0);
    for mut one in committed {
        let highest = highest.clone();
        tokio::spawn(async move {
            while one.changed().await.is_ok() {
                let position = *one.borrow_and_update();
                highest.send_if_modified(|known| {
                    let higher = position > *known;
                    if higher {
                        *known = position;
                    }
                    higher
                });
            }
        });
    }
    any
}
