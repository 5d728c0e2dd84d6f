//! Signatures: who has to give them, how, and what happens when they do not come (R-2.08, R-2.10, T-2.2, T-2.3).

use std::collections::BTreeSet;

use ryggrad_decider::{Context, Refusal, timers};
use ryggrad_norway::{OrgNumber, Role};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_case_event::Event;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::decide::id;
use super::state::{Signatures, State, Status};
use super::{content, refusals};
use crate::form::Form;
use crate::roles::{self, Wanted};
use crate::{board, input, time};

/// Levels of ID-porten that a signature may be given with.
const EID_LEVELS: [&str; 2] = ["idporten-loa-substantial", "idporten-loa-high"];

pub(super) fn request(state: &State, c: &pb::RequestSignatures, context: &Context) -> Result<Vec<Event>, Refusal> {
    let earlier = match &state.status {
        Status::Draft => None,
        // Others may have to sign, or the board to be reported, before the content can be changed.
        Status::AwaitingSignatures(signatures) | Status::Signed(signatures) => Some(signatures),
        status @ (Status::Undrafted
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => return Err(refusals::state(status)),
    };
    content::complete(state)?;
    let deputies = c.elected_deputies;
    let roles = if content::reports_board(state) || !c.roles.is_empty() {
        read_roles(state, &c.roles, deputies)?
    } else {
        Vec::new()
    };
    let signers = signers(&c.signers, &roles)?;
    if earlier.is_some_and(|earlier| earlier.signers == signers && earlier.roles == roles) {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    if let Some(earlier) = earlier.filter(|signatures| !signatures.signed.is_empty()) {
        events.extend(reset(earlier, pb::ResetReason::SignersChanged, context));
    }
    events.push(requested(signers, roles, context));
    Ok(events)
}

/// The roles as they are reported, with a board that the form and the bylaws allow and an auditor and an accountant
/// whom the content names, so that they have to confirm.
fn read_roles(state: &State, roles: &[pb::RoleHolder], deputies: u32) -> Result<Vec<pb::RoleHolder>, Refusal> {
    let form = state.content.form.parse().ok().and_then(Form::of);
    let roles = roles::read("roles", roles, form, Wanted::BoardAndContact { deputies })?;
    board::fits("roles", &roles, state.content.board_size.as_ref())?;
    roles::named(
        &roles,
        &state.content.revisor_orgnr,
        &state.content.regnskapsfoerer_orgnr,
    )?;
    Ok(roles)
}

/// Whether the roles that were reported with the request are still those that the content asks for: it may have changed since. How
/// many deputies were elected was said with the request, and is not asked again.
pub(super) fn roles_fit(state: &State) -> Result<(), Refusal> {
    let Some(signatures) = state.status.signatures() else {
        return Ok(());
    };
    match (content::reports_board(state), signatures.roles.is_empty()) {
        (false, true) => Ok(()),
        (true, true) => Err(refusals::board_not_reported()),
        (_, false) => read_roles(state, &signatures.roles, 0).map(drop),
    }
}

/// Everybody once, each with a role that is reported, and the chair among them.
fn signers(signers: &[pb::Signer], roles: &[pb::RoleHolder]) -> Result<Vec<pb::Signer>, Refusal> {
    input::count("signers", signers.len(), 1, 50)?;
    let mut seen = BTreeSet::new();
    let mut chair = false;
    let mut read = Vec::with_capacity(signers.len());
    for signer in signers {
        let person_ref = input::id("signers.person_ref", &signer.person_ref)?.to_string();
        let role: Role = input::coded("signers.role_code", &signer.role_code)?;
        if !seen.insert(person_ref.clone()) {
            return Err(refusals::signer_twice());
        }
        let holds = |holder: &pb::RoleHolder| {
            holder.role_code == role.code()
                && matches!(&holder.holder, Some(Holder::PersonRef(person)) if *person == person_ref)
        };
        if !roles.is_empty() && !roles.iter().any(holds) {
            return Err(refusals::signer_without_role());
        }
        chair |= role.code() == "LEDE";
        read.push(pb::Signer {
            person_ref,
            role_code: role.code().to_owned(),
        });
    }
    if chair {
        Ok(read)
    } else {
        Err(refusals::chair_must_sign())
    }
}

pub(super) fn requested(signers: Vec<pb::Signer>, roles: Vec<pb::RoleHolder>, context: &Context) -> Event {
    pb::SignaturesRequested {
        case_id: id(context),
        signers,
        due_at: Some(time::due(&timers::T_2_3, 0, context.now).into()),
        roles,
    }
    .into()
}

pub(super) fn reset(signatures: &Signatures, reason: pb::ResetReason, context: &Context) -> Option<Event> {
    let fallen = u32::try_from(signatures.signed.len()).unwrap_or(u32::MAX);
    (fallen > 0).then(|| {
        pb::SignaturesReset {
            case_id: id(context),
            reason: reason.into(),
            signatures: fallen,
        }
        .into()
    })
}

/// personally and electronically, and for nobody else. What has to be personal is the signature, not the message that brings
/// it: see [`brings`].
pub(super) fn sign(state: &State, c: &pb::SignRegistration, context: &Context) -> Result<Vec<Event>, Refusal> {
    let signatures = match &state.status {
        Status::AwaitingSignatures(signatures) | Status::Signed(signatures) => signatures,
        status @ (Status::Undrafted
        | Status::Draft
        | Status::Submitted
        | Status::UnderReview
        | Status::InfoRequested { .. }
        | Status::Registered
        | Status::Rejected { .. }
        | Status::Withdrawn
        | Status::Lapsed) => return Err(refusals::state(status)),
    };
    let person_ref = input::id("person_ref", &c.person_ref)?.to_string();
    if !EID_LEVELS.contains(&c.eid_level.as_str()) {
        return Err(refusals::eid_too_low());
    }
    if !brings(&context.actor, &person_ref) {
        return Err(refusals::not_personal());
    }
    if !signatures.signers.iter().any(|signer| signer.person_ref == person_ref) {
        return Err(refusals::not_a_signer());
    }
    if signatures.signed.contains(&person_ref) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::RegistrationSigned {
            case_id: id(context),
            person_ref,
            signed_at: Some(context.now.into()),
            eid_level: c.eid_level.clone(),
        }
        .into(),
    ])
}

/// Whether an actor can bring the signature of a person (R-2.10, ADR 0022).
///
/// The person can, acting for nobody and under no mandate: a signature is never given for another. An organisation or a platform can
/// when a token proves which it is: it has the person's signature from ID-porten, and answers for it. A mandate that it acts under
/// is then one from an organisation, to send commands; one from a person would be a delegation of the signature. An authority signs
/// for nobody, and what a request says of itself without proof carries no signature but one's own.
fn brings(actor: &Actor, person_ref: &str) -> bool {
    match actor.kind.as_str() {
        "person" => {
            actor.r#ref.eq_ignore_ascii_case(person_ref) && actor.acting_for.is_empty() && actor.mandate.is_empty()
        }
        "organisation" | "platform" => {
            let for_an_organisation =
                actor.acting_for.is_empty() || OrgNumber::parse_tolerant(&actor.acting_for).is_ok();
            actor.authenticated && for_an_organisation
        }
        _ => false,
    }
}

/// T-2.2: reminds those who have not signed; a reminder that comes late finds nobody.
pub(super) fn remind(state: &State, reminder: u32, context: &Context) -> Vec<Event> {
    let Status::AwaitingSignatures(signatures) = &state.status else {
        return Vec::new();
    };
    let person_refs: Vec<_> = signatures.pending().map(|signer| signer.person_ref.clone()).collect();
    if reminder <= signatures.reminded || person_refs.is_empty() {
        return Vec::new();
    }
    vec![
        pb::SignaturesReminded {
            case_id: id(context),
            person_refs,
            reminder,
        }
        .into(),
    ]
}

/// T-2.3: a case that is not signed in time lapses; a timer of an earlier request finds a later due time.
pub(super) fn lapse(state: &State, context: &Context) -> Vec<Event> {
    let Status::AwaitingSignatures(signatures) = &state.status else {
        return Vec::new();
    };
    if signatures.due_at.is_some_and(|due| context.now < due) {
        return Vec::new();
    }
    let missing = u32::try_from(signatures.pending().count()).unwrap_or(u32::MAX);
    vec![
        pb::RegistrationLapsed {
            case_id: id(context),
            signatures_missing: missing,
        }
        .into(),
    ]
}
