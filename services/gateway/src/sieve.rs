//! What reaches one subscriber: what it wants, of what it may see.

use std::sync::Arc;

use ryggrad_access::{Filter, Gate, Key};
use ryggrad_proto::options::v1::PrivacyClass;

/// A filter and a gate. Small for those who want everything and have no token, which most have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sieve {
    /// None lets everything pass.
    filter: Option<Arc<Filter>>,
    /// None is open to what is open to everybody.
    gate: Option<Box<Gate>>,
}

// === impl Sieve ===

impl Sieve {
    pub(crate) fn new(filter: Filter, gate: Gate) -> Self {
        Self {
            filter: (!filter.is_everything()).then(|| Arc::new(filter)),
            gate: (!gate.is_open_only()).then(|| Box::new(gate)),
        }
    }

    /// The same filter behind another gate.
    pub(crate) fn reopen(&mut self, gate: Gate) {
        self.gate = (!gate.is_open_only()).then(|| Box::new(gate));
    }

    /// Whether everything that is open data passes: then nobody has to look at the keys of open data.
    pub(crate) fn wants_everything(&self) -> bool {
        self.filter.is_none()
    }

    /// Whether an event passes.
    pub(crate) fn passes(&self, position: u64, key: &Key) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.passes(key))
            && match &self.gate {
                Some(gate) => gate.passes(position, key),
                None => key.class == PrivacyClass::Public as u8,
            }
    }

    /// Whether the caller itself began something with this event, which its gate has to know.
    pub(crate) fn began(&self, key: &Key) -> bool {
        let consumer = self
            .gate
            .as_ref()
            .and_then(|gate| gate.caller().identity())
            .map(|identity| identity.consumer.to_u32());
        key.actor != 0 && key.orgnr == 0 && consumer == Some(key.actor)
    }

    /// Takes note of an event that the caller itself has given rise to.
    pub(crate) fn notice(&mut self, key: &Key) {
        if let Some(gate) = &mut self.gate {
            gate.notice(key);
        }
    }

    /// Whether there is a token behind it.
    pub(crate) fn is_known(&self) -> bool {
        self.gate.is_some()
    }
}
