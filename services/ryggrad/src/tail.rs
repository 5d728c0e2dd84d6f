//! `ryggrad tail`: follows the stream in the terminal, for people or for programs, and goes on where it was.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{FutureExt as _, StreamExt as _};
use ryggrad_client::{Checkpoint as _, Client, Cursor, Error, FileCheckpoint, Message, Options, Start, Subscription};

use crate::exit::{Exit, NotRunning};
use crate::status::spoken;
use crate::stop::Signals;

mod args;
pub(crate) mod line;

pub use args::Args;
pub(crate) use args::Begin;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad tail                                   the last ten events, then what happens
  ryggrad tail --from beginning                  everything since the log began
  ryggrad tail --kommune 4601 --type DissolutionReported
  ryggrad tail --organisation 310000019 --json | jq .payload
  ryggrad tail --checkpoint agency.json --json   go on where the last run ended";

/// How many events are shown before new ones when nothing is said.
const RECENT: u64 = 10;
/// Time between signs of life of the gateway when there is nothing to show.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often the checkpoint is written while events come.
const REMEMBER: Duration = Duration::from_millis(500);

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything that was asked for has been shown, or nothing more is wanted.
    Shown,
    /// Whoever read the lines has gone.
    NobodyReads,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    let tail = tokio::select! {
        tail = begin(args) => tail?,
        () = signals.received() => return Ok(Exit::Done),
    };
    tail.follow(signals).await
}

/// Connects, and finds where to start.
async fn begin(args: Args) -> anyhow::Result<Tail<Lines>> {
    let url = args.running.http()?;
    let client = Client::connect(&url).await.map_err(|error| match error {
        Error::Connect { .. } => NotRunning { place: url.clone() }.into(),
        error => anyhow::Error::from(error),
    })?;
    let client = client.with_tokens(args.running.bearer(&args.r#as)?);
    let checkpoint = args.checkpoint.as_ref().map(FileCheckpoint::new);
    let start = start(&args, &client, checkpoint.as_ref()).await?;
    let options = Options {
        heartbeat: HEARTBEAT,
        stop_at_head: args.no_follow,
        ..Options::default()
    };
    Ok(Tail {
        subscription: client.subscribe_with(start, args.filter(), options),
        out: io::BufWriter::new(anstream::AutoStream::auto(io::stdout())),
        checkpoint,
        remembered: (Cursor::default(), Instant::now()),
        left: args.limit.unwrap_or(u64::MAX),
        json: args.json,
        says_waiting: io::stdout().is_terminal() && !args.json && !args.no_follow && args.limit.is_none(),
    })
}

async fn start(args: &Args, client: &Client, checkpoint: Option<&FileCheckpoint>) -> anyhow::Result<Start> {
    if let Some(checkpoint) = checkpoint {
        return Ok(checkpoint.load().await?.map_or(Start::Beginning, Start::From));
    }
    Ok(match args.from {
        Some(Begin::Beginning) => Start::Beginning,
        Some(Begin::Now) => Start::Now,
        Some(Begin::Position(first)) => Start::After(first.saturating_sub(1)),
        None => {
            let head = client.head().await.map_err(told)?.cursor;
            Start::From(Cursor {
                position: head.position.saturating_sub(RECENT),
                ..head
            })
        }
    })
}

/// Standard output, a block at a time.
type Lines = io::BufWriter<anstream::AutoStream<io::Stdout>>;

/// Where the messages go.
struct Tail<W: Write> {
    subscription: Subscription,
    out: W,
    checkpoint: Option<FileCheckpoint>,
    /// The cursor that was stored last, and when.
    remembered: (Cursor, Instant),
    /// Events to be shown yet.
    left: u64,
    json: bool,
    /// Tells a person that everything until now was shown.
    says_waiting: bool,
}

// === impl Tail ===

impl<W: Write> Tail<W> {
    /// Shows what comes, and remembers how far it was shown, however it ends.
    async fn follow(mut self, mut signals: Signals) -> anyhow::Result<Exit> {
        let end = self.show(&mut signals).await;
        if !matches!(end, Ok(End::NobodyReads)) && !gone(self.out.flush())? {
            self.remember().await?;
        }
        end.map(|_| Exit::Done)
    }

    /// Shows what comes until the limit, the head, the end of the reader or a signal.
    async fn show(&mut self, signals: &mut Signals) -> anyhow::Result<End> {
        while self.left > 0 {
            // Between two messages only: what was taken has been written.
            if signals.received().now_or_never().is_some() {
                break;
            }
            let ready = self.subscription.next().now_or_never();
            let message = if let Some(message) = ready {
                message
            } else {
                // Nothing more for now: what was written must be seen, and remembered only then.
                if gone(self.out.flush())? {
                    return Ok(End::NobodyReads);
                }
                self.remember().await?;
                tokio::select! {
                    message = self.wait() => message,
                    () = signals.received() => break,
                }
            };
            match message {
                Some(Ok(message)) => {
                    if gone(self.write(&message))? {
                        return Ok(End::NobodyReads);
                    }
                    if self.remembered.1.elapsed() > REMEMBER {
                        if gone(self.out.flush())? {
                            return Ok(End::NobodyReads);
                        }
                        self.remember().await?;
                    }
                }
                Some(Err(error)) => return Err(told(error)),
                None => break,
            }
        }
        Ok(End::Shown)
    }

    /// Waits for the next message, and tells a person when nothing is heard of the gateway.
    async fn wait(&mut self) -> Option<Result<Message, Error>> {
        if let Ok(message) = tokio::time::timeout(HEARTBEAT * 4, self.subscription.next()).await {
            return message;
        }
        if self.says_waiting {
            crate::print::note(crate::print::styled(
                crate::print::BAD,
                "— contact is lost, trying again —",
            ));
        }
        self.subscription.next().await
    }

    fn write(&mut self, message: &Message) -> io::Result<()> {
        match message {
            Message::Event(event) => {
                self.left -= 1;
                let text = if self.json {
                    line::json(event)?
                } else {
                    line::human(event)
                };
                writeln!(self.out, "{text}")
            }
            Message::CaughtUp { head, .. } if self.says_waiting => {
                crate::print::note(crate::print::styled(
                    crate::print::FAINT,
                    format!("— up to date at position {head}, waiting —"),
                ));
                Ok(())
            }
            Message::CaughtUp { .. } | Message::Heartbeat { .. } => Ok(()),
        }
    }

    /// Stores how far everything has been written out.
    async fn remember(&mut self) -> anyhow::Result<()> {
        let cursor = self.subscription.cursor();
        if let Some(checkpoint) = &self.checkpoint
            && *cursor != self.remembered.0
            && !cursor.epoch.is_empty()
        {
            checkpoint.store(cursor).await?;
            self.remembered.0 = cursor.clone();
        }
        self.remembered.1 = Instant::now();
        Ok(())
    }
}

/// Whether whoever read the lines has gone, as `head` does: an end, not an error.
fn gone(written: io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(error).context("cannot write"),
    }
}

fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(status) => spoken(*status),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_an_end_and_not_an_error() {
        assert!(gone(Err(ErrorKind::BrokenPipe.into())).unwrap());
        assert!(gone(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
