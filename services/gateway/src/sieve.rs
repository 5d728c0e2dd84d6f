//! What reaches one subscriber: what it wants, of what it may see.

use std::sync::Arc;

use ryggrad_access::{Filter, Gate, Key};
use ryggrad_proto::options::v1::PrivacyClass;

use crate::trace::Trace;

/// A filter and a gate. Small for those who want everything and have no token, which most have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sieve {
    /// None lets everything pass.
    filter: Option<Arc<Filter>>,
    /// None is open to what is open to everybody.
    gate: Option<Box<Known>>,
}

/// What somebody with a token may see, and the trace that it leaves.
#[derive(Debug, Clone)]
struct Known {
    gate: Gate,
    trace: Trace,
}

// === impl Sieve ===

impl Sieve {
    pub(crate) fn new(filter: Filter, gate: Gate) -> Self {
        Self {
            filter: (!filter.is_everything()).then(|| Arc::new(filter)),
            gate: Known::behind(gate),
        }
    }

    /// The same filter behind another gate.
    pub(crate) fn reopen(&mut self, gate: Gate) {
        self.gate = Known::behind(gate);
    }

    /// Whether everything that is open data passes: then nobody has to look at the keys of open data.
    pub(crate) fn wants_everything(&self) -> bool {
        self.filter.is_none()
    }

    /// Whether an event passes.
    pub(crate) fn passes(&self, position: u64, key: &Key) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.passes(key))
            && match &self.gate {
                Some(known) => known.passes(position, key),
                None => key.class == PrivacyClass::Public as u8,
            }
    }

    /// Whether the caller itself began something with this event, which its gate has to know.
    pub(crate) fn began(&self, key: &Key) -> bool {
        self.gate.as_ref().is_some_and(|known| known.gate.began(key))
    }

    /// Takes note of an event that the caller itself has given rise to.
    pub(crate) fn notice(&mut self, key: &Key) {
        if let Some(known) = &mut self.gate {
            known.gate.notice(key);
        }
    }

    /// Whether there is a token behind it.
    pub(crate) fn is_known(&self) -> bool {
        self.gate.is_some()
    }

    /// The gate and the trace of somebody with a token.
    pub(crate) fn known(&self) -> Option<(&Gate, &Trace)> {
        self.gate.as_ref().map(|known| (&known.gate, &known.trace))
    }
}

// === impl Known ===

impl Known {
    /// A gate that was made anew begins a trace anew, so that each day has its own.
    fn behind(gate: Gate) -> Option<Box<Self>> {
        let trace = Trace::default();
        (!gate.is_open_only()).then(|| Box::new(Self { gate, trace }))
    }

    fn passes(&self, position: u64, key: &Key) -> bool {
        if key.class == PrivacyClass::Public as u8 {
            return true;
        }
        let verdict = self.gate.verdict(position, key);
        self.trace.leave(verdict, key.organisation);
        verdict.allows()
    }
}
