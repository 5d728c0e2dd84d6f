//! Auditor and accountant, who confirm the assignment themselves.

use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::{AUDITOR, KARI, LIV, OLA, case, complete, content, request, role, roles, signed_by, submit};
use crate::registration_case::Event;

fn amended(revisor: &str, regnskapsfoerer: &str) -> Event {
    pb::RegistrationAmended {
        registers: vec!["ER".into(), "FR".into()],
        content: Some(pb::RegistrationContent {
            revisor_orgnr: revisor.into(),
            regnskapsfoerer_orgnr: regnskapsfoerer.into(),
            ..content()
        }),
        ..Default::default()
    }
    .into()
}

fn with(holder: pb::RoleHolder) -> pb::RequestSignatures {
    let mut request = request();
    request.roles.push(holder);
    request
}

fn organisation(code: &str, orgnr: &str) -> pb::RoleHolder {
    pb::RoleHolder {
        role_code: code.into(),
        holder: Some(Holder::Orgnr(orgnr.into())),
        ..Default::default()
    }
}

#[test]
fn an_auditors_word_resets_nothing() {
    let mut events = complete();
    events.push(
        pb::RegistrationAmended {
            registers: vec!["ER".into(), "FR".into()],
            content: Some(pb::RegistrationContent {
                revisor_orgnr: AUDITOR.into(),
                ..content()
            }),
            ..Default::default()
        }
        .into(),
    );
    events.extend(signed_by(&[KARI, OLA, LIV]).split_off(complete().len()));
    let refusal = case(events.clone())
        .when(submit())
        .then_refused("R-2.11", "AuditorUnconfirmed");
    assert_eq!(refusal.field.as_deref(), Some("content.revisor_orgnr"));
    let confirm = pb::ConfirmAuditorAssignment {
        orgnr_auditor: AUDITOR.into(),
        r#type: pb::AuditorType::Revisor.into(),
        ..Default::default()
    };
    let stranger = pb::ConfirmAuditorAssignment {
        orgnr_auditor: "245915101".into(),
        ..confirm.clone()
    };
    case(events.clone())
        .when(stranger)
        .then_refused("R-2.11", "NotTheAuditor");
    let (_, confirmed) = case(events.clone())
        .when(confirm)
        .then_names(&["AuditorAssignmentConfirmed"]);
    events.extend(confirmed);
    case(events).when(submit()).then_names(&["RegistrationSubmitted"]);
}

#[test]
fn nobody_is_reported_as_auditor_or_accountant_who_is_not_asked_to_confirm() {
    let past = |revisor: &str, regnskapsfoerer: &str| {
        let mut events = complete();
        events.push(amended(revisor, regnskapsfoerer));
        events
    };
    let strangers = [
        // Nobody is named, another one is, and one is for the other task.
        (past("", ""), organisation("REVI", AUDITOR)),
        (past("", ""), organisation("REGN", AUDITOR)),
        (past("245915101", ""), organisation("REVI", AUDITOR)),
        (past("", AUDITOR), organisation("REVI", AUDITOR)),
        (past(AUDITOR, ""), organisation("REGN", AUDITOR)),
        // A person cannot confirm as an organisation does.
        (past(AUDITOR, ""), role("REVI", KARI)),
    ];
    for (past, holder) in strangers {
        let refusal = case(past).when(with(holder)).then_refused("R-2.11", "AuditorNotNamed");
        assert_eq!(refusal.field.as_deref(), Some("roles.orgnr"));
    }
    for (past, code) in [(past(AUDITOR, ""), "REVI"), (past("", AUDITOR), "REGN")] {
        case(past)
            .when(with(organisation(code, AUDITOR)))
            .then_names(&["SignaturesRequested"]);
    }
}

#[test]
fn an_auditor_who_is_in_a_role_is_not_left_out_of_the_content_afterwards() {
    let mut past = complete();
    past.push(amended(AUDITOR, ""));
    let mut reported = roles();
    reported.push(organisation("REVI", AUDITOR));
    let requested = pb::SignaturesRequested {
        signers: super::signers(),
        roles: reported,
        ..Default::default()
    };
    past.push(requested.into());
    let amend = pb::AmendRegistration {
        registers: vec!["ER".into(), "FR".into()],
        content: Some(content()),
        kontonummer_token: super::TOKEN.into(),
        ..Default::default()
    };
    case(past).when(amend).then_refused("R-2.11", "AuditorNotNamed");
}
