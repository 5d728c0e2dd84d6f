//! How messages travel over gRPC: requests are read refusing what they do not know, answers and events ignoring it.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::OnceLock;

use bytes::{Buf, Bytes};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, Value};
use tonic::Status;
use tonic::codec::{Codec as TonicCodec, DecodeBuf, Decoder as TonicDecoder};
use tonic_prost::ProstEncoder;

/// The codec of the generated services and clients.
#[derive(Debug)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

/// Reads messages of one type; see the module.
#[derive(Debug)]
pub struct Decoder<U> {
    strict: bool,
    message: PhantomData<U>,
}

// === impl Codec ===

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> TonicCodec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = Decoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Decoder {
            strict: requests().contains(&U::full_name()),
            message: PhantomData,
        }
    }
}

// === impl Decoder ===

impl<U: Message + Name + Default> TonicDecoder for Decoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        read(bytes, self.strict).map(Some)
    }
}

fn read<U: Message + Name + Default>(bytes: Bytes, strict: bool) -> Result<U, Status> {
    let refused = |error: prost::DecodeError| Status::invalid_argument(error.to_string());
    let message = U::decode(bytes.clone()).map_err(refused)?;
    // Other lengths may be another way to write the same; only then is it worth looking.
    if strict && message.encoded_len() != bytes.len() {
        let descriptor = crate::pool().get_message_by_name(&U::full_name());
        let dynamic = descriptor
            .map(|descriptor| DynamicMessage::decode(descriptor, bytes))
            .transpose()
            .map_err(refused)?;
        if let Some(field) = dynamic.as_ref().and_then(unknown) {
            return Err(Status::invalid_argument(format!(
                "{} has an unknown field: number {field}",
                U::full_name()
            )));
        }
    }
    Ok(message)
}

/// Path of numbers to the first field that the contract does not have.
fn unknown(message: &DynamicMessage) -> Option<String> {
    let here = message.unknown_fields().next().map(|field| field.number().to_string());
    here.or_else(|| {
        message.fields().find_map(|(field, value)| {
            let inner = match value {
                Value::Message(message) => unknown(message),
                Value::List(values) => values.iter().filter_map(Value::as_message).find_map(unknown),
                Value::Map(values) => values.values().filter_map(Value::as_message).find_map(unknown),
                _ => None,
            };
            inner.map(|number| format!("{number} of {}", field.name()))
        })
    })
}

/// Full names of all messages that a client sends.
fn requests() -> &'static BTreeSet<String> {
    static REQUESTS: OnceLock<BTreeSet<String>> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let methods = crate::pool()
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| method.input().full_name().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::v1::{EventFilter, ReadRequest, ReadResponse};

    #[test]
    fn a_request_with_an_unknown_field_is_refused_also_deep_inside() {
        let filter = EventFilter {
            types: vec!["A".to_owned()],
            ..EventFilter::default()
        };
        let known = ReadRequest {
            after: 1,
            filter: Some(filter),
            ..ReadRequest::default()
        }
        .encode_to_vec();
        assert!(read::<ReadRequest>(known.clone().into(), true).is_ok());
        let field_99 = [0x98, 0x06, 0x01];
        let outside = [&known[..], &field_99].concat();
        let refused = read::<ReadRequest>(outside.clone().into(), true).expect_err("unknown");
        assert!(refused.message().contains("unknown field: number 99"), "{refused}");
        let inside = [&[0x22, 0x03][..], &field_99].concat();
        let refused = read::<ReadRequest>(inside.into(), true).expect_err("unknown");
        assert!(refused.message().contains("number 99 of filter"), "{refused}");
        assert!(
            read::<ReadRequest>(outside.into(), false).is_ok(),
            "those who only read skip it"
        );
    }

    #[test]
    fn a_default_that_is_written_out_is_no_unknown_field() {
        assert!(read::<ReadRequest>(Bytes::from_static(&[0x08, 0x00]), true).is_ok());
    }

    #[test]
    fn text_that_is_no_utf8_names_its_field() {
        let refused = read::<ReadRequest>(Bytes::from_static(&[0x12, 0x01, 0xff]), true).expect_err("not UTF-8");
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        assert!(refused.message().contains("ReadRequest.epoch"), "{refused}");
    }

    #[test]
    fn only_what_clients_send_is_read_strictly() {
        assert!(requests().contains(&ReadRequest::full_name()));
        assert!(!requests().contains(&ReadResponse::full_name()));
    }
}
