//! What the broker answers to a published event.

use async_nats::{Message, StatusCode};
use serde::Deserialize;

use crate::relay::Interrupted;

/// The broker's code for a message that would not have got the sequence it expected.
const WRONG_LAST_SEQUENCE: u64 = 10_071;

#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    seq: u64,
    error: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    err_code: u64,
    description: String,
}

/// Checks that the event of a position got that number.
pub(super) fn check(position: u64, answer: &Message) -> Result<(), Interrupted> {
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(Interrupted::NoStream);
    }
    match serde_json::from_slice::<Ack>(&answer.payload) {
        Ok(Ack { seq, error: None }) if seq == position => Ok(()),
        // Known by its id from before the stream was emptied, or from somebody else: look again where the stream is.
        Ok(Ack { error: None, .. }) => Err(Interrupted::Overtaken),
        Ok(Ack {
            error: Some(refused), ..
        }) if refused.err_code == WRONG_LAST_SEQUENCE => Err(Interrupted::Overtaken),
        Ok(Ack {
            error: Some(refused), ..
        }) => Err(Interrupted::Broker(refused.description)),
        Err(error) => Err(Interrupted::Broker(error.to_string())),
    }
}
