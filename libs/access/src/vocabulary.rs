//! What exists: the event types, contexts and aggregates of the contracts, as small numbers that are quick to compare.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A word that the contracts of this build do not have: an event of a later version.
pub const UNKNOWN: u16 = u16::MAX;

/// The words of the contracts by their numbers.
pub struct Vocabulary {
    types: HashMap<(&'static str, &'static str), u16>,
    contexts: Words,
    aggregates: Words,
}

/// A list of distinct words.
#[derive(Default)]
struct Words(Vec<&'static str>);

// === impl Vocabulary ===

impl Vocabulary {
    /// The vocabulary of this build.
    pub fn get() -> &'static Self {
        static WORDS: OnceLock<Vocabulary> = OnceLock::new();
        WORDS.get_or_init(|| {
            let mut words = Self {
                types: HashMap::new(),
                contexts: Words::default(),
                aggregates: Words::default(),
            };
            for (event, number) in ryggrad_proto::catalogue().iter().zip(0..) {
                words.types.insert((&event.context, &event.name), number);
                words.contexts.learn(&event.context);
                words.aggregates.learn(&event.aggregate);
            }
            words
        })
    }

    /// The number of an event type.
    pub fn event_type(&self, context: &str, name: &str) -> Option<u16> {
        self.types.get(&(context, name)).copied()
    }

    /// The numbers of all event types of that name or CloudEvents type; none when there is no such type.
    pub fn event_types(name_or_type: &str) -> Vec<u16> {
        let named = ryggrad_proto::catalogue().iter().zip(0..);
        named
            .filter(|(event, _)| event.name == name_or_type || event.ce_type == name_or_type)
            .map(|(_, number)| number)
            .collect()
    }

    /// The number of a context.
    pub fn context(&self, name: &str) -> Option<u16> {
        self.contexts.number(name)
    }

    /// The number of an aggregate type.
    pub fn aggregate(&self, name: &str) -> Option<u16> {
        self.aggregates.number(name)
    }
}

// === impl Words ===

impl Words {
    fn learn(&mut self, word: &'static str) {
        if !self.0.contains(&word) {
            self.0.push(word);
        }
    }

    fn number(&self, word: &str) -> Option<u16> {
        self.0
            .iter()
            .position(|known| *known == word)
            .and_then(|number| u16::try_from(number).ok())
    }
}
