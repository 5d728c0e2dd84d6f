//! The relay: log to stream, on a thread of its own, so that views which fold as fast as they can do not hold it up.

use std::time::Duration;

use anyhow::Context as _;
use ryggrad_eventlog::relay::Relay;
use ryggrad_eventlog::stream;
use tokio::sync::{oneshot, watch};

use super::{Role, Setting};

/// How often a stream that does not carry the log is looked at again.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn start(setting: &mut Setting<'_>) -> anyhow::Result<()> {
    let asked = setting.plan.pool(Role::Relay).await?;
    let (plan, committed, token) = (
        setting.plan.clone(),
        std::mem::take(&mut setting.committed),
        setting.working.clone(),
    );
    let (ready, started) = oneshot::channel();
    // Everything that the relay waits for is made on its own runtime: no other task can keep it from being woken.
    let work = async move {
        let connected = async { anyhow::Ok((plan.pool(Role::Relay).await?, plan.nats(Role::Relay).await?)) };
        let (pool, nats) = match connected.await {
            Ok(connected) => connected,
            Err(error) => {
                let _gone = ready.send(Err(error));
                return Ok(());
            }
        };
        let mut relay = Relay::new(pool, nats.clone()).with_replicas(plan.replicas);
        if !committed.is_empty() {
            relay = relay.woken_by(any_of(committed));
        }
        let _gone = ready.send(Ok((nats, relay.mismatch())));
        // A person has to look (the relay has said at what), and everybody else goes on from the log meanwhile.
        while relay.run(token.clone()).await.is_err() {
            token.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
        Ok(())
    };
    let thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    };
    let (ended, end) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
        let _gone = ended.send(thread());
    });
    spawned.context("cannot start a thread")?;
    let (broker, mismatch) = started.await.context("the relay's thread ended")??;
    setting.serve(|server| {
        server.ready("relay", move || {
            let (asked, broker, mismatch) = (asked.clone(), broker.clone(), mismatch.borrow().clone());
            async move {
                if let Some(mismatch) = mismatch {
                    return Err(mismatch.to_string());
                }
                let answer = sqlx::query("select 1").execute(&asked).await;
                answer.map_err(|error| format!("PostgreSQL: {error}"))?;
                if stream::is_connected(&broker) {
                    Ok(())
                } else {
                    Err("the broker is away".to_owned())
                }
            }
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
