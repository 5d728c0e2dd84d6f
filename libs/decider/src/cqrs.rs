//! Any decider as a `cqrs_es::Aggregate`, for those who run cqrs-es and for the baseline of the benchmark.

use std::marker::PhantomData;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use ryggrad_proto::event::EventPayload;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Context, Decider, Refusal};

/// A decider hosted by cqrs-es. Its state lives in memory only: snapshots of it are empty.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Hosted<D: Decider> {
    #[serde(skip)]
    state: D::State,
    #[serde(skip)]
    decider: PhantomData<D>,
}

/// A command with what it needs to be decided.
#[derive(Debug)]
pub struct Asked<C> {
    /// The command.
    pub command: C,
    /// Clock and ids.
    pub context: Context,
}

/// An event in the shape that cqrs-es stores: its name beside its canonical proto JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<E>(pub E);

/// The stored shape itself.
#[derive(Serialize, Deserialize)]
struct Shape<'a> {
    name: std::borrow::Cow<'a, str>,
    data: Box<serde_json::value::RawValue>,
}

// === impl Hosted ===

impl<D: Decider> Default for Hosted<D> {
    fn default() -> Self {
        Self {
            state: D::State::default(),
            decider: PhantomData,
        }
    }
}

impl<D: Decider> std::fmt::Debug for Hosted<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(D::AGGREGATE).finish_non_exhaustive()
    }
}

impl<D: Decider> Aggregate for Hosted<D>
where
    D::Event: PartialEq + std::fmt::Debug,
{
    const TYPE: &'static str = D::AGGREGATE;
    type Command = Asked<D::Command>;
    type Event = Stored<D::Event>;
    type Error = Refusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        _services: &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in D::decide(&self.state, &command.command, &command.context)? {
            sink.write(Stored(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        D::evolve(&mut self.state, &event.0);
    }
}

// === impl Stored ===

impl<E: EventPayload + PartialEq + std::fmt::Debug> DomainEvent for Stored<E> {
    fn event_type(&self) -> String {
        self.0.name().to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl<E: EventPayload> Serialize for Stored<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let json = self
            .0
            .json()
            .and_then(serde_json::value::RawValue::from_string)
            .map_err(S::Error::custom)?;
        Shape {
            name: self.0.name().into(),
            data: json,
        }
        .serialize(serializer)
    }
}

impl<'de, E: EventPayload> Deserialize<'de> for Stored<E> {
    fn deserialize<De: Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
        // postgres-es hands the payload over as a parsed value, which a raw value cannot be taken from.
        let value = serde_json::Value::deserialize(deserializer)?;
        let name = value["name"].as_str().ok_or_else(|| De::Error::missing_field("name"))?;
        match E::from_json(name, value["data"].clone()) {
            Ok(Some(event)) => Ok(Self(event)),
            Ok(None) => Err(De::Error::custom(format!("{name} is not an event of this aggregate"))),
            Err(e) => Err(De::Error::custom(e)),
        }
    }
}
