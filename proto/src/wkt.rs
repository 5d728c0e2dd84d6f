//! The well-known types that the contracts use, with the JSON that the specification asks for.

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `google.protobuf.Timestamp`: an instant from year 1 to 9999, in JSON `2026-05-01T12:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds within the second, 0 to 999,999,999, counting forward also before 1970.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// The seconds or nanoseconds of a [`Timestamp`] are outside what an instant can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("timestamp is out of range")]
pub struct OutOfRange;

// === impl Timestamp ===

impl prost::Name for Timestamp {
    const NAME: &'static str = "Timestamp";
    const PACKAGE: &'static str = "google.protobuf";
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        let (seconds, nanos) = (instant.as_second(), instant.subsec_nanosecond());
        if nanos < 0 {
            Self {
                seconds: seconds - 1,
                nanos: nanos + 1_000_000_000,
            }
        } else {
            Self { seconds, nanos }
        }
    }
}

impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = OutOfRange;

    fn try_from(timestamp: Timestamp) -> Result<Self, OutOfRange> {
        if !(0..1_000_000_000).contains(&timestamp.nanos) {
            return Err(OutOfRange);
        }
        let seconds = Self::from_second(timestamp.seconds).map_err(|_| OutOfRange)?;
        seconds
            .checked_add(jiff::SignedDuration::from_nanos(timestamp.nanos.into()))
            .map_err(|_| OutOfRange)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let instant = jiff::Timestamp::try_from(*self).map_err(serde::ser::Error::custom)?;
        match self.nanos {
            0 => serializer.collect_str(&format_args!("{instant:.0}")),
            nanos if nanos % 1_000_000 == 0 => serializer.collect_str(&format_args!("{instant:.3}")),
            nanos if nanos % 1_000 == 0 => serializer.collect_str(&format_args!("{instant:.6}")),
            _ => serializer.collect_str(&format_args!("{instant:.9}")),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an instant such as 2026-05-01T12:00:00Z")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse::<jiff::Timestamp>()
                    .map(Timestamp::from)
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// `google.protobuf.Any`: a message with its type, in JSON the message's own with `@type` beside its fields.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Any {
    /// `type.googleapis.com/` and the full name of the message.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message, encoded.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: bytes::Bytes,
}

// === impl Any ===

impl prost::Name for Any {
    const NAME: &'static str = "Any";
    const PACKAGE: &'static str = "google.protobuf";
}

impl Any {
    fn descriptor<E>(wrong: fn(&'static str) -> E) -> Result<MessageDescriptor, E> {
        crate::pool()
            .get_message_by_name("google.protobuf.Any")
            .ok_or_else(|| wrong("the contracts import google.protobuf.Any"))
    }
}

impl Serialize for Any {
    /// Fails when the contracts of this build do not have the message.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let descriptor = Self::descriptor::<S::Error>(serde::ser::Error::custom)?;
        let message = DynamicMessage::decode(descriptor, self.encode_to_vec().as_slice());
        message.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let descriptor = Self::descriptor::<D::Error>(de::Error::custom)?;
        let message = DynamicMessage::deserialize(descriptor, deserializer)?;
        Self::decode(message.encode_to_vec().as_slice()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_message_has_its_own_json_with_its_type() {
        let filter = crate::events::v1::EventFilter {
            types: vec!["A".to_owned()],
            ..Default::default()
        };
        let any = Any {
            type_url: "type.googleapis.com/ryggrad.events.v1.EventFilter".to_owned(),
            value: filter.encode_to_vec().into(),
        };
        let json = serde_json::to_value(&any).expect("its JSON");
        assert_eq!(json, serde_json::json!({ "@type": any.type_url, "types": ["A"] }));
        assert_eq!(serde_json::from_value::<Any>(json).expect("back"), any);
    }

    #[track_caller]
    fn round_trip(text: &str) {
        let instant: Timestamp = serde_json::from_str(&format!("\"{text}\"")).expect("an instant");
        assert_eq!(
            serde_json::to_string(&instant).expect("its text"),
            format!("\"{text}\"")
        );
        let jiff = jiff::Timestamp::try_from(instant).expect("in range");
        assert_eq!(Timestamp::from(jiff), instant);
    }

    #[test]
    fn instants_have_one_text_before_and_after_1970() {
        for text in [
            "1969-12-31T23:59:59.500Z",
            "2026-05-01T12:00:00Z",
            "2026-05-01T12:00:00.000001Z",
            "2026-05-01T12:00:00.123456789Z",
        ] {
            round_trip(text);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        let refused = serde_json::from_str::<Timestamp>("\"2026-02-30T12:00:00Z\"").expect_err("no such day");
        assert!(refused.to_string().contains("2026-02-30"), "{refused}");
        let out_of_range = Timestamp {
            seconds: 0,
            nanos: 1_000_000_000,
        };
        assert_eq!(jiff::Timestamp::try_from(out_of_range), Err(OutOfRange));
    }
}
