//! An event of the log as the message that it is, by the aggregate that it belongs to.

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_proto::ecosystem::v1::{access_log_event, mandate_event, subscription_event};
use ryggrad_proto::registration::v1::{founding_event, initiative_event, organisation_event, registration_case_event};

/// An event of an aggregate that the views know.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it lives no longer than the fold of one event")]
pub(crate) enum Fact {
    /// Phase 1.
    Initiative(initiative_event::Event),
    /// Phase 2, until the organisation is founded.
    Founding(founding_event::Event),
    /// Phase 2, on the way into the registers.
    RegistrationCase(registration_case_event::Event),
    /// An organisation, and what the registers say about it.
    Organisation(organisation_event::Event),
    /// Who follows what.
    Subscription(subscription_event::Event),
    /// Who may act for whom.
    Mandate(mandate_event::Event),
    /// Who has looked.
    AccessLog(access_log_event::Event),
}

// === impl Fact ===

impl Fact {
    /// The event as a message; none when it is of an aggregate, or of a later contract, that this program does not know.
    ///
    /// # Errors
    /// When the bytes are not what the name says.
    pub(crate) fn of(event: &Recorded) -> Result<Option<Self>, Poison> {
        Ok(match (&*event.context, &*event.aggregate_type) {
            ("registration", "Initiative") => event.decode()?.map(Self::Initiative),
            ("registration", "Founding") => event.decode()?.map(Self::Founding),
            ("registration", "RegistrationCase") => event.decode()?.map(Self::RegistrationCase),
            ("registration", "Organisation") => event.decode()?.map(Self::Organisation),
            ("ecosystem", "Subscription") => event.decode()?.map(Self::Subscription),
            ("ecosystem", "Mandate") => event.decode()?.map(Self::Mandate),
            ("ecosystem", "AccessLog") => event.decode()?.map(Self::AccessLog),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    /// A new aggregate has to be thought of here: its events would have no summary, and the build would not say so.
    #[test]
    fn every_event_of_the_catalogue_is_known() {
        for event in ryggrad_proto::catalogue() {
            let recorded = example::named(&event.context, &event.aggregate, &event.name);
            assert!(
                Fact::of(&recorded).expect("an empty message").is_some(),
                "{} of {} {}",
                event.name,
                event.context,
                event.aggregate
            );
        }
    }

    #[test]
    fn what_a_later_program_wrote_is_no_poison() {
        let recorded = example::named("registration", "Organisation", "OrganisationTeleported");
        assert_eq!(Fact::of(&recorded), Ok(None));
        let recorded = example::named("operations", "Activity", "ActivityPublished");
        assert_eq!(Fact::of(&recorded), Ok(None));
    }

    #[test]
    fn bytes_that_are_not_the_message_are_poison() {
        let mut recorded = example::named("registration", "Organisation", "OrganisationRegistered");
        recorded.data = bytes::Bytes::from_static(&[0xff, 0xff]);
        assert!(Fact::of(&recorded).is_err());
    }
}
