//! What an event says in short: codes, days and numbers, never a person and no free text that could name one.

use ryggrad_proto::ecosystem::v1::access_log_event::Event as Accessed;
use ryggrad_proto::ecosystem::v1::mandate_event::Event as Mandate;
use ryggrad_proto::ecosystem::v1::subscription_event::Event as Subscription;
use ryggrad_proto::registration::v1::founding_event::Event as Founding;
use ryggrad_proto::registration::v1::initiative_event::Event as Initiative;
use ryggrad_proto::registration::v1::organisation_event::Event as Organisation;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::registration::v1::{OrganisationDetails, RegistrationContent};
use ryggrad_proto::views::v1::TimelineFact;

use crate::fact::Fact;

/// The summary of an event. The names are those of the contract's fields.
pub(super) fn of(fact: &Fact) -> Vec<TimelineFact> {
    let short = match fact {
        Fact::Initiative(event) => initiative(event),
        Fact::Founding(event) => founding(event),
        Fact::RegistrationCase(event) => case(event),
        Fact::Organisation(event) => organisation(event),
        Fact::Subscription(event) => subscription(event),
        Fact::Mandate(event) => mandate(event),
        Fact::AccessLog(Accessed::ViewAccessed(_)) => Short::default(),
    };
    short.0
}

/// A summary as it grows; what is empty is left out.
#[derive(Default)]
struct Short(Vec<TimelineFact>);

// === impl Short ===

impl Short {
    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.push(TimelineFact {
                name: name.to_owned(),
                value,
            });
        }
        self
    }

    fn list(self, name: &str, values: &[String]) -> Self {
        self.with(name, values.join(","))
    }

    fn number(self, name: &str, value: impl Into<u64>) -> Self {
        self.with(name, value.into().to_string())
    }

    /// A value of an enumeration, without what all of its values begin with.
    fn word(self, name: &str, prefix: &str, value: &str) -> Self {
        let word = value.strip_prefix(prefix).unwrap_or(value).to_lowercase();
        if word == "unspecified" {
            self
        } else {
            self.with(name, word)
        }
    }

    fn details(self, details: Option<&OrganisationDetails>) -> Self {
        let Some(details) = details else { return self };
        let address = details.forretningsadresse.as_ref();
        self.with("name", &details.name).with("form", &details.form).with(
            "kommunenummer",
            address.map(|a| a.kommunenummer.clone()).unwrap_or_default(),
        )
    }

    fn content(self, content: Option<&RegistrationContent>) -> Self {
        let Some(content) = content else { return self };
        self.with("name", &content.name).with("form", &content.form)
    }
}

fn count(values: &[impl Sized]) -> u64 {
    values.len().try_into().unwrap_or(u64::MAX)
}

fn initiative(event: &Initiative) -> Short {
    let short = Short::default();
    match event {
        // Title and purpose are an initiator's own words, before there is an organisation.
        Initiative::InitiativeSketched(e) => short
            .with("kommunenummer", &e.kommunenummer)
            .with("icnpo_hint", e.icnpo_hint.clone().unwrap_or_default()),
        Initiative::ExistingOfferingsReviewed(e) => short
            .word("outcome", "REVIEW_OUTCOME_", e.outcome().as_str_name())
            .number("matched_orgnr", count(&e.matched_orgnr)),
        Initiative::InitiativeOpened(e) => short.number("wanted_people", e.wanted_people),
        Initiative::SupporterJoined(e) => short.word("wants", "SUPPORTER_WISH_", e.wants().as_str_name()),
        Initiative::TrialStarted(e) => short
            .with("period_from", &e.period_from)
            .with("period_to", &e.period_to)
            .with("host_orgnr", e.host_orgnr.clone().unwrap_or_default()),
        Initiative::TrialActivityHeld(e) => short
            .with("date", &e.date)
            .number("participants_count", e.participants_count)
            .number("volunteers_count", e.volunteers_count),
        Initiative::TrialEvaluated(e) => short.word("result", "TRIAL_RESULT_", e.result().as_str_name()),
        Initiative::FoundingDecided(e) => short
            .with("founding_id", &e.founding_id)
            .with("proposed_form", &e.proposed_form),
        Initiative::InitiativeAbsorbed(e) => {
            short
                .with("host_orgnr", &e.host_orgnr)
                .word("as", "ABSORBED_AS_", e.r#as().as_str_name())
        }
        Initiative::InitiativePaused(e) => short
            .word("reason", "PAUSE_REASON_", e.reason().as_str_name())
            .with("resume_by", e.resume_by.clone().unwrap_or_default()),
        Initiative::InitiativeAbandoned(e) => {
            short.word("reason_code", "ABANDON_REASON_", e.reason_code().as_str_name())
        }
        Initiative::InitiativeExpired(_) => short,
        Initiative::SupportersPurged(e) => short.number("person_refs", count(&e.person_refs)),
    }
}

fn founding(event: &Founding) -> Short {
    let short = Short::default();
    match event {
        Founding::FoundingPlanned(e) => short
            .with("form", &e.form)
            .with("parent_orgnr", e.parent_orgnr.clone().unwrap_or_default()),
        Founding::FoundingMeetingConvened(e) => short
            .with("date", &e.date)
            .with("digital", if e.digital { "true" } else { "" }),
        Founding::FoundingMeetingHeld(e) => short
            .with("date", &e.date)
            .number("founders", count(&e.founders))
            .number("votes_for", e.votes_for)
            .number("votes_cast", e.votes_cast),
        Founding::BylawsAdopted(e) => short.number("version", e.version).with("vedtektsdato", &e.vedtektsdato),
        Founding::BoardElected(e) => short
            .number("roles", count(&e.roles))
            .with("body", &e.body)
            .with("interim", if e.interim { "true" } else { "" }),
        Founding::FoundingDocumentSigned(e) => short.word("method", "SIGNING_METHOD_", e.method().as_str_name()),
        Founding::OrganisationFounded(e) => short
            .with("organisation_id", &e.organisation_id)
            .with("name", &e.name)
            .with("form", &e.form)
            .with("kommunenummer", &e.kommunenummer)
            .with("stiftelsesdato", &e.stiftelsesdato),
        Founding::FoundingCancelled(e) => short.word("reason_code", "CANCEL_REASON_", e.reason_code().as_str_name()),
    }
}

fn case(event: &Case) -> Short {
    let short = Short::default();
    match event {
        Case::RegistrationDrafted(e) => short
            .list("registers", &e.registers)
            .word("kind", "CASE_KIND_", e.kind().as_str_name())
            .content(e.content.as_ref()),
        Case::RegistrationAmended(e) => short.list("registers", &e.registers).content(e.content.as_ref()),
        Case::DocumentAttached(e) => short.word("kind", "DOCUMENT_KIND_", e.kind().as_str_name()),
        Case::BoardElectionDeclared(e) => short.with("elected_by", &e.elected_by),
        Case::SignaturesRequested(e) => short.number("signers", count(&e.signers)),
        Case::SignaturesReset(e) => short
            .word("reason", "RESET_REASON_", e.reason().as_str_name())
            .number("signatures", e.signatures),
        Case::RegistrationSigned(e) => short.with("eid_level", &e.eid_level),
        Case::SignaturesReminded(e) => short
            .number("reminder", e.reminder)
            .number("person_refs", count(&e.person_refs)),
        Case::AuditorAssignmentConfirmed(e) => {
            short
                .with("orgnr_auditor", &e.orgnr_auditor)
                .word("type", "AUDITOR_TYPE_", e.r#type().as_str_name())
        }
        Case::RegistrationSubmitted(e) => short
            .list("registers", &e.registers)
            .with("message_ref", &e.message_ref),
        Case::RegistrationReviewStarted(e) => short.with("authority_ref", &e.authority_ref),
        Case::InformationRequested(e) => {
            let codes: Vec<_> = e
                .deficiencies
                .iter()
                .map(|deficiency| deficiency.code.clone())
                .collect();
            short.list("deficiencies", &codes)
        }
        Case::RegistrationSupplemented(e) => short.number("items", count(&e.items)),
        Case::RegistrationRejected(e) => short.with("register", &e.register),
        Case::RegistrationAppealed(_) | Case::AppealPeriodEnded(_) | Case::RegistrationWithdrawn(_) => short,
        Case::RegistrationLapsed(e) => short.number("signatures_missing", e.signatures_missing),
        Case::RegistrationConfirmed(e) => short.with("register", &e.register).with("orgnr", &e.orgnr),
    }
}

fn organisation(event: &Organisation) -> Short {
    let short = Short::default();
    match event {
        Organisation::OrganisationOpened(e) => short
            .with("name", &e.name)
            .with("form", &e.form)
            .with("kommunenummer", &e.kommunenummer),
        Organisation::OrganisationRegistered(e) => short
            .with("orgnr", &e.orgnr)
            .with("registreringsdato", &e.registreringsdato)
            .details(e.details.as_ref()),
        Organisation::VoluntaryRegistrationApplied(e) => short.with("grasrot", if e.grasrot { "true" } else { "" }),
        Organisation::VoluntaryApplicationEnded(e) => short.with("case_id", &e.case_id),
        Organisation::VoluntaryRegistrationEntered(e) => {
            short.with("innfoert_dato", &e.innfoert_dato).list("icnpo", &e.icnpo)
        }
        // The ground of a refusal is the authority's own words to the organisation; it is in the case.
        Organisation::VoluntaryRegistrationRefused(e) => short.with("case_id", &e.case_id),
        Organisation::VoluntaryRegistrationDeleted(e) => short.with("slettet_dato", &e.slettet_dato),
        Organisation::GrasrotParticipationApproved(e) => short.with("from", &e.from),
        Organisation::GrasrotParticipationEnded(_) | Organisation::DissolutionRevoked(_) => short,
        Organisation::GrasrotExclusionImposed(e) => short.with("fra_dato", &e.fra_dato).with("til_dato", &e.til_dato),
        Organisation::ActivityCategoriesChanged(e) => short.list("icnpo", &e.icnpo),
        Organisation::AccountingDutyChanged(e) => short
            .word("basis", "ACCOUNTING_BASIS_", e.basis().as_str_name())
            .with("applies", if e.applies { "true" } else { "false" }),
        Organisation::AnnualAccountsSubmitted(e) => short.number("year", e.year),
        Organisation::OrganisationDetailsChanged(e) => short.list("fields", &e.fields),
        Organisation::RolesReported(e) => short.number("roles", count(&e.roles)),
        Organisation::BankAccountLinked(e) => short.word("purpose", "ACCOUNT_PURPOSE_", e.purpose().as_str_name()),
        Organisation::AffiliationEstablished(e) => {
            short.with("parent_orgnr", &e.parent_orgnr).with("role_to", &e.role_to)
        }
        Organisation::BylawsAdopted(e) => short.number("version", e.version).with("vedtektsdato", &e.vedtektsdato),
        Organisation::DissolutionReported(e) => short.with("at", &e.at),
        Organisation::InsolvencyDeclared(e) => short.with("at", &e.at),
        Organisation::OrganisationDeleted(e) => short
            .with("slettedato", &e.slettedato)
            .with("successor_orgnr", e.successor_orgnr.clone().unwrap_or_default()),
    }
}

fn subscription(event: &Subscription) -> Short {
    match event {
        Subscription::SubscriptionApproved(e) => Short::default()
            .with("stakeholder", &e.stakeholder)
            .with("legal_basis", &e.legal_basis)
            .with("until", e.until.clone().unwrap_or_default()),
        Subscription::SubscriptionEnded(_) => Short::default(),
    }
}

fn mandate(event: &Mandate) -> Short {
    match event {
        Mandate::MandateGranted(e) => Short::default()
            .with("to_orgnr", &e.to_orgnr)
            .list("commands", &e.commands)
            .with("until", e.until.clone().unwrap_or_default()),
        Mandate::MandateRevoked(e) => Short::default().with("to_orgnr", &e.to_orgnr),
    }
}
