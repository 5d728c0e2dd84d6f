//! Which events are wanted.

use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::options::v1::PrivacyClass;

/// Which events are wanted. Values of one kind are alternatives; kinds are all required. Empty: every event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(EventFilter);

// === impl Filter ===

impl Filter {
    /// Every event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events of these types: by name (`OrganisationRegistered`) or CloudEvents type.
    #[must_use]
    pub fn types<S: Into<String>>(mut self, types: impl IntoIterator<Item = S>) -> Self {
        self.0.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// Events of these contexts: `registration`.
    #[must_use]
    pub fn contexts<S: Into<String>>(mut self, contexts: impl IntoIterator<Item = S>) -> Self {
        self.0.contexts.extend(contexts.into_iter().map(Into::into));
        self
    }

    /// Events that are about these organisations or concern them: by UUID or organisation number.
    #[must_use]
    pub fn organisations<S: Into<String>>(mut self, organisations: impl IntoIterator<Item = S>) -> Self {
        self.0.organisations.extend(organisations.into_iter().map(Into::into));
        self
    }

    /// Events of organisations in these municipalities (four digits) or counties (two digits).
    #[must_use]
    pub fn kommuner<S: Into<String>>(mut self, kommuner: impl IntoIterator<Item = S>) -> Self {
        self.0.kommunenummer.extend(kommuner.into_iter().map(Into::into));
        self
    }

    /// Events of these privacy classes.
    #[must_use]
    pub fn classes(mut self, classes: impl IntoIterator<Item = PrivacyClass>) -> Self {
        self.0.classes.extend(classes.into_iter().map(|class| class as i32));
        self
    }

    /// Events of these aggregate types: `RegistrationCase`.
    #[must_use]
    pub fn aggregate_types<S: Into<String>>(mut self, types: impl IntoIterator<Item = S>) -> Self {
        self.0.aggregate_types.extend(types.into_iter().map(Into::into));
        self
    }

    /// Whether every event passes.
    pub fn is_everything(&self) -> bool {
        self.0 == EventFilter::default()
    }
}

impl From<EventFilter> for Filter {
    fn from(filter: EventFilter) -> Self {
        Self(filter)
    }
}

impl From<Filter> for EventFilter {
    fn from(filter: Filter) -> Self {
        filter.0
    }
}
