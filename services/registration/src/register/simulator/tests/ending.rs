//! Every notification gets an answer, whatever it asks for and whatever the organisation is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ryggrad_decider::scenario::context;
use ryggrad_decider::{Context, Decider};
use ryggrad_eventlog::deadline::Action;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_event::Event as OfOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use ryggrad_proto::registration::v1::registration_case_event::Event as OfCase;
use uuid::Uuid;

use super::super::answer::{answers, came_to_nothing, told};
use super::{Case, Simulator, case};
use crate::command::Command;
use crate::organisation::Organisation;
use crate::reactions;
use crate::registration_case::{self, RegistrationCase, Status};

const ORGNR: &str = "245915101";

/// A case and its organisation, before an authority that decides at once.
struct World {
    case: registration_case::State,
    facts: Vec<OfOrganisation>,
}

// === impl World ===

impl World {
    fn context(aggregate_id: Uuid) -> Context {
        Context {
            aggregate_id,
            ..context()
        }
    }

    /// What is set on the desk is carried out, in the order in which it falls due.
    fn decide(&mut self, case: Case<'_>) {
        let mut due: Vec<(Timestamp, Command)> = Vec::new();
        for action in case.decision() {
            if let Action::Set(deadline) = action {
                let command = Command::decode(deadline.aggregate_type, &deadline.command).expect("a command of ours");
                due.push((deadline.due_at, command));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        for (_, command) in due {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Case(command) => self.tell(&command),
            Command::Organisation(decision) => {
                let waits = answers(&decision).is_some();
                if waits && came_to_nothing(&self.case.status) {
                    return;
                }
                let mut state = <Organisation as Decider>::State::default();
                for fact in &self.facts {
                    Organisation::evolve(&mut state, fact);
                }
                let answer = Organisation::decide(&state, &decision, &Self::context(Uuid::from_u128(2)));
                let facts = answer.clone().unwrap_or_default();
                self.facts.extend(facts.iter().cloned());
                for fact in &facts {
                    if let Some(Command::Case(command)) = reactions::of_organisation(fact) {
                        self.tell(&command);
                    }
                }
                if let Some(command) = told(&decision, answer.as_ref().err(), &self.facts, "nb") {
                    self.tell(&command);
                }
            }
            Command::Initiative(_) | Command::Founding(_) => panic!("nothing of theirs"),
        }
    }

    /// What the case hears; what it does not accept any more is as if it was not said.
    fn tell(&mut self, command: &ToCase) {
        let heard = RegistrationCase::decide(&self.case, command, &Self::context(Uuid::from_u128(1)));
        for event in heard.unwrap_or_default() {
            RegistrationCase::evolve(&mut self.case, &event);
        }
    }
}

/// All that an organisation can be, as the facts that led there.
fn organisations() -> Vec<(&'static str, Vec<OfOrganisation>)> {
    let orgnr = || ORGNR.to_owned();
    let opened = OfOrganisation::from(pb::OrganisationOpened::default());
    let registered = OfOrganisation::from(pb::OrganisationRegistered {
        orgnr: orgnr(),
        ..Default::default()
    });
    let after = |more: OfOrganisation| vec![registered.clone(), more];
    let entered = OfOrganisation::from(pb::VoluntaryRegistrationEntered {
        orgnr: orgnr(),
        ..Default::default()
    });
    let left = OfOrganisation::from(pb::VoluntaryRegistrationDeleted {
        orgnr: orgnr(),
        ..Default::default()
    });
    vec![
        ("unknown", Vec::new()),
        ("founded", vec![opened]),
        ("registered", vec![registered.clone()]),
        ("entered", after(entered.clone())),
        ("left", vec![registered.clone(), entered, left]),
        ("refused", after(pb::VoluntaryRegistrationRefused::default().into())),
        ("winding up", after(pb::DissolutionReported::default().into())),
        ("bankrupt", after(pb::InsolvencyDeclared::default().into())),
        ("deleted", after(pb::OrganisationDeleted::default().into())),
    ]
}

fn content(form: &str, with_number: bool, for_fr: bool) -> pb::RegistrationContent {
    pb::RegistrationContent {
        form: form.into(),
        name: "Tromøy sjakklubb".into(),
        purpose: "Fremme sjakk".into(),
        stiftelsesdato: "2026-03-01".into(),
        organisasjonsnummer: if with_number { ORGNR } else { "" }.into(),
        driver_naeringsvirksomhet: true,
        frivillig_organisasjon: for_fr.then(|| pb::VoluntaryContent {
            icnpo: vec!["1300".into()],
            registreringsrett: Some(pb::Registreringsrett {
                har_offentlig_flertall_i_styret: Some(false),
                flertall_av_aksjer_eid_av_offentlig: Some(false),
                utdeling_utelukkende_til_frivillige: Some(true),
                utdeling_til_fysiske_personer: Some(false),
                har_utdelinger: Some(false),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Every notification that can be drafted: each kind to each set of registers, with and without a form and a number.
fn drafts() -> Vec<pb::RegistrationDrafted> {
    const REGISTERS: [&str; 5] = ["ER", "FR", "FOR", "MVA", "STI"];
    let mut drafts = Vec::new();
    for kind in [pb::CaseKind::New, pb::CaseKind::Change, pb::CaseKind::Deletion] {
        for set in 1_u32..32 {
            let registers: Vec<String> = (0..5)
                .filter(|at| set & (1 << at) != 0)
                .map(|at| REGISTERS[at].to_owned())
                .collect();
            for form in ["", "FLI", "STI", "AS"] {
                for with_number in [false, true] {
                    let for_fr = registers.iter().any(|register| register == "FR");
                    let draft = pb::DraftRegistration {
                        organisation_id: Uuid::from_u128(2).to_string(),
                        registers: registers.clone(),
                        kind: kind.into(),
                        content: Some(content(form, with_number, for_fr)),
                        ..Default::default()
                    };
                    let state = registration_case::State::default();
                    let decided = RegistrationCase::decide(&state, &draft.into(), &context());
                    for event in decided.unwrap_or_default() {
                        if let OfCase::RegistrationDrafted(drafted) = event {
                            drafts.push(drafted);
                        }
                    }
                }
            }
        }
    }
    drafts
}

/// The case after its draft was sent, and the organisation after it heard of that.
fn submitted(draft: &pb::RegistrationDrafted, facts: &[OfOrganisation]) -> World {
    let mut state = registration_case::State::default();
    for event in [draft.clone().into(), pb::RegistrationSubmitted::default().into()] {
        RegistrationCase::evolve(&mut state, &event);
    }
    let mut world = World {
        case: state,
        facts: facts.to_vec(),
    };
    if draft.kind() == pb::CaseKind::New && draft.registers.iter().any(|register| register == "FR") {
        let apply = pb::ApplyToVoluntaryRegister {
            case_id: Uuid::from_u128(1).to_string(),
            ..Default::default()
        };
        let mut state = <Organisation as Decider>::State::default();
        for fact in facts {
            Organisation::evolve(&mut state, fact);
        }
        let applied = Organisation::decide(&state, &apply.into(), &World::context(Uuid::from_u128(2)));
        world.facts.extend(applied.expect("anybody may apply"));
    }
    world
}

#[test]
fn every_case_ends_whatever_it_asks_for_and_whatever_the_organisation_is() {
    let drafts = drafts();
    let obliging = Simulator::obliging();
    let refusing = Simulator {
        rejection_rate: 1.0,
        ..Simulator::obliging()
    };
    let mut ended: BTreeMap<(i32, &str), u32> = BTreeMap::new();
    for draft in &drafts {
        for (organisation, facts) in organisations() {
            for simulator in [&obliging, &refusing] {
                let mut world = submitted(draft, &facts);
                world.decide(Case {
                    registers: draft.registers.clone(),
                    kind: draft.kind(),
                    content: draft.content.clone().unwrap_or_default(),
                    ..case(simulator, 1)
                });
                let status = &world.case.status;
                let told = format!("{:?} {:?} of one that is {organisation}", draft.kind(), draft.registers);
                match status {
                    Status::Registered => *ended.entry((draft.kind, "registered")).or_default() += 1,
                    Status::Rejected { .. } => *ended.entry((draft.kind, "rejected")).or_default() += 1,
                    other => panic!("{told} stays {other:?}"),
                }
            }
        }
    }
    assert_eq!(ended.len(), 6, "each kind is registered and refused: {ended:?}");
}

/// The case of a notification to Frivillighetsregisteret alone, and how it ended before an authority that says yes.
fn asked_to_enter(facts: &[OfOrganisation]) -> Status {
    let draft = pb::RegistrationDrafted {
        registers: vec!["FR".into()],
        kind: pb::CaseKind::New.into(),
        content: Some(content("FLI", true, true)),
        ..Default::default()
    };
    let mut world = submitted(&draft, facts);
    let simulator = Simulator::obliging();
    world.decide(Case {
        registers: draft.registers.clone(),
        kind: draft.kind(),
        content: draft.content.clone().unwrap_or_default(),
        ..case(&simulator, 1)
    });
    world.case.status
}

#[test]
fn who_is_there_already_is_confirmed_and_who_cannot_be_there_is_refused() {
    for (organisation, facts) in organisations() {
        let status = asked_to_enter(&facts);
        let expected = matches!(
            organisation,
            "registered" | "entered" | "left" | "refused" | "winding up"
        );
        assert_eq!(status == Status::Registered, expected, "{organisation}: {status:?}");
    }
}
