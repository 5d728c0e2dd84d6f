//! Every stakeholder before the views that the service answers itself, about whomever and with any scopes: shown as the matrix
//! declares, all else denied.

use ryggrad_access::{Caller, Parties, Scope, View};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::ecosystem::v1::{mandate_event, subscription_event};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::registration_service_server::RegistrationService as _;
use ryggrad_proto::registration::v1::{founding_event, initiative_event, organisation_event, registration_case_event};
use ryggrad_registration::register::simulator::Simulator;
use ryggrad_service::auth;
use ryggrad_testkit::{Role, Whose};
use tonic::{Code, Request};
use uuid::Uuid;

use crate::support::{World, fresh, with_scopes, world};

/// An organisation, with what it came of.
struct Subject {
    whose: Whose,
    organisation: Uuid,
    initiative: Uuid,
    founding: Uuid,
    case: Uuid,
}

// === impl Subject ===

impl Subject {
    async fn record(world: &World, whose: Whose) -> Self {
        let [organisation, initiative, founding, case] = [(); 4].map(|()| fresh());
        let organisation_id = organisation.to_string();
        // Who has a token has begun its own.
        let begun_by = match whose {
            Whose::Itself(orgnr) => Some(orgnr),
            Whose::In(_) | Whose::Affiliate | Whose::Mandator => None,
        };
        let sketched = initiative_event::Event::from(pb::InitiativeSketched::default());
        world
            .record("Initiative", initiative, begun_by, None, &[sketched])
            .await;
        let founded = [
            founding_event::Event::from(pb::FoundingPlanned::default()),
            founding_event::Event::from(pb::OrganisationFounded {
                organisation_id: organisation_id.clone(),
                ..Default::default()
            }),
        ];
        world.record("Founding", founding, None, None, &founded).await;
        let drafted = registration_case_event::Event::from(pb::RegistrationDrafted {
            organisation_id: organisation_id.clone(),
            ..Default::default()
        });
        world.record("RegistrationCase", case, None, None, &[drafted]).await;
        let registered = organisation_event::Event::from(pb::OrganisationRegistered {
            organisation_id,
            orgnr: whose.orgnr().to_owned(),
            ..Default::default()
        });
        let orgnr = Some(whose.orgnr());
        world
            .record("Organisation", organisation, None, orgnr, &[registered])
            .await;
        Self {
            whose,
            organisation,
            initiative,
            founding,
            case,
        }
    }
}

/// Lets everybody have what it could get: its row approved with every view, and a mandate. The matrix has the last word.
async fn bind(world: &World, roles: &[Role]) {
    for role in roles {
        let id = fresh();
        if let Some(approved) = role.approved(&id.to_string()) {
            let approved = subscription_event::Event::from(approved);
            world.record("Subscription", id, None, None, &[approved]).await;
        }
        let mandate = fresh();
        if let Some(granted) = role.mandated(&mandate.to_string()) {
            let granted = mandate_event::Event::from(granted);
            world.record("Mandate", mandate, None, None, &[granted]).await;
        }
    }
}

/// How the service answers a view of a subject.
async fn answered(world: &World, view: View, subject: &Subject) -> Code {
    let (service, at_least) = (&world.service, 0);
    let status = match view {
        View::Initiative => {
            let initiative_id = subject.initiative.to_string();
            let request = Request::new(pb::GetInitiativeRequest {
                initiative_id,
                at_least,
            });
            service.get_initiative(request).await.err()
        }
        View::Founding => {
            let founding_id = subject.founding.to_string();
            let request = Request::new(pb::GetFoundingRequest { founding_id, at_least });
            service.get_founding(request).await.err()
        }
        View::Organisation => {
            let organisation_id = subject.organisation.to_string();
            let request = Request::new(pb::GetOrganisationRequest {
                organisation_id,
                at_least,
            });
            service.get_organisation(request).await.err()
        }
        View::RegisterCase => {
            let case_id = subject.case.to_string();
            let request = Request::new(pb::GetCaseRequest { case_id, at_least });
            service.get_case(request).await.err()
        }
        View::OrgTimeline
        | View::MunicipalityDirectory
        | View::StatsCube
        | View::RegisterUnits
        | View::RegisterChanges
        | View::Subscriptions
        | View::AccessLog => panic!("{} is not the service's to answer", view.name()),
    };
    status.map_or(Code::Ok, |status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_matrix_is_as_declared() {
    let everything: Vec<Scope> = Scope::all().collect();
    let others: Vec<Scope> = everything
        .iter()
        .copied()
        .filter(|scope| *scope != Scope::ViewsRead)
        .collect();
    let (world, parties) = (world(Simulator::obliging()).await, Parties::development());
    let roles = Role::all();
    bind(&world, &roles).await;
    let mut subjects = Vec::new();
    let own = roles.iter().filter_map(|role| role.orgnr).map(Whose::Itself);
    for whose in Whose::OTHERS.into_iter().chain(own) {
        subjects.push(Subject::record(&world, whose).await);
    }
    for role in &roles {
        for scopes in [&everything[..], &others[..], &[Scope::ViewsRead], &[]] {
            let caller = role.orgnr.map_or(Caller::ANYBODY, |orgnr| {
                let orgnr = OrgNumber::parse(orgnr).expect("a number");
                with_scopes(orgnr, parties.of(orgnr).to_vec(), scopes.iter().copied())
            });
            for view in [View::Initiative, View::Founding, View::Organisation, View::RegisterCase] {
                for subject in &subjects {
                    let is_shown = match view {
                        // It has no number yet: it is for whoever began it.
                        View::Initiative => role.is(subject.whose) && scopes.contains(&Scope::ViewsRead),
                        _ => role.is_shown(scopes, view, subject.whose),
                    };
                    let declared = match (role.orgnr, is_shown) {
                        (None, _) => Code::Unauthenticated,
                        (Some(_), true) => Code::Ok,
                        (Some(_), false) => Code::PermissionDenied,
                    };
                    let found = auth::answering(caller.clone(), answered(&world, view, subject)).await;
                    let who = format!("{} with {scopes:?}", role.grant.code);
                    assert_eq!(found, declared, "{who}, {} of {:?}", view.name(), subject.whose);
                }
            }
        }
    }
}
