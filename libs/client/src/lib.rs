//! What a consumer of the stream uses: connect, follow from any position, go on after every interruption, and be sure
//! that nothing was missed or came twice.
//!
//! ```no_run
//! use futures::StreamExt as _;
//! use ryggrad_client::{Checkpoint as _, Client, FileCheckpoint, Filter, Message, Start};
//! use ryggrad_proto::registration::v1::organisation_event;
//!
//! # async fn follow() -> Result<(), ryggrad_client::Error> {
//! let client = Client::connect("http://127.0.0.1:8080").await?;
//! let checkpoint = FileCheckpoint::new("dissolved.json");
//! let start = checkpoint.load().await?.map_or(Start::Beginning, Start::From);
//! let mut subscription = client.subscribe(start, Filter::new().types(["DissolutionReported"]));
//! while let Some(message) = subscription.next().await {
//!     match message? {
//!         Message::Event(event) => {
//!             if let Some(organisation_event::Event::DissolutionReported(fact)) = event.decode()? {
//!                 println!("{}: stop payouts to {}: {fact:?}", event.position(), event.orgnr());
//!             }
//!         }
//!         Message::CaughtUp { .. } | Message::Heartbeat { .. } => {}
//!     }
//!     // Where to go on next time: up to here everything has been dealt with.
//!     checkpoint.store(subscription.cursor()).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Open data needs no token. Who may see more connects with one: [`Client::with_tokens`].
//!
//! A subscription reconnects by itself, with growing pauses, when the connection breaks, the server stops, or nothing is
//! heard of it for three heartbeats; it goes on after the last event that came. It checks every position: they rise, and
//! with [`Options::gapless`] each is the one after the last. An error ends it only when trying again cannot help: another
//! epoch (the log was restored), a cursor beyond the head, a gap, a filter value that does not exist, a server that fails five
//! times in a row. One that is to stop at the head also ends when nothing is heard of the server for ten seconds. Every
//! interruption is logged.
#![warn(missing_docs)]

mod bearer;
mod checkpoint;
mod client;
mod error;
mod event;
mod filter;
mod order;
mod session;
mod subscription;

pub use bearer::{Bearer, Connection, with_token};
pub use checkpoint::{Checkpoint, Cursor, FileCheckpoint, MemoryCheckpoint};
pub use client::{Client, Head, Options, Page, Start};
pub use error::Error;
pub use event::Event;
pub use filter::Filter;
pub use subscription::{Message, Subscription};
