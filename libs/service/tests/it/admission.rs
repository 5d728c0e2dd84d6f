//! Who may send which command, against what the real log says: owners, mandates, system users, authorities, and nobody.

mod numbers;

use bytes::Bytes;
use jiff::Timestamp;
use ryggrad_access::{Caller, Key, Scope, Stakeholder, View};
use ryggrad_eventlog::schema::{self, Role};
use ryggrad_eventlog::{Append, Clock, NewEvent, Request, Writer};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::ecosystem::v1::{self as eco, mandate_event};
use ryggrad_proto::registration::v1::{self as pb, initiative_event, organisation_event};
use ryggrad_proto::{CommandPayload, EventPayload};
use ryggrad_service::{ApiError, Authority, auth};
use ryggrad_testkit::Database;
use uuid::Uuid;

use crate::callers::{BRREG, CLUB, OTHER, PLATFORM, caller, system_user};

const INITIATIVE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0011);
const ORGANISATION: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0012);
const MANDATE: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0013);
const WRITERS: [Role<'static>; 2] = [
    Role::writer("ryggrad_registration", "registration"),
    Role::writer("ryggrad_ecosystem", "ecosystem"),
];

/// A log, and who decides by it.
struct World {
    authority: Authority,
    registration: Writer,
    ecosystem: Writer,
    _database: Database,
}

/// A log in which the platform has begun an initiative, and the club is registered.
async fn world() -> World {
    let database = Database::create(
        "admission",
        |pool| async move { schema::migrate(&pool, &WRITERS).await },
    )
    .await;
    let pool = database.pool_as("ryggrad_registration");
    let world = World {
        authority: Authority::new(pool.clone(), Clock::system()),
        registration: Writer::spawn(&pool, "registration"),
        ecosystem: Writer::spawn(&database.pool_as("ryggrad_ecosystem"), "ecosystem"),
        _database: database,
    };
    let sketched = initiative_event::Event::from(pb::InitiativeSketched::default());
    append(
        &world.registration,
        "Initiative",
        INITIATIVE,
        None,
        by(PLATFORM),
        &sketched,
    )
    .await;
    let registered = organisation_event::Event::from(pb::OrganisationRegistered::default());
    append(
        &world.registration,
        "Organisation",
        ORGANISATION,
        Some(CLUB),
        by(""),
        &registered,
    )
    .await;
    world
}

/// Whoever has this number; the system when it is empty.
fn by(number: &str) -> Actor {
    Actor {
        r#ref: number.to_owned(),
        authenticated: !number.is_empty(),
        ..Actor::default()
    }
}

/// Appends the first event of an aggregate.
async fn append<E: EventPayload>(
    writer: &Writer,
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    orgnr: Option<&str>,
    actor: Actor,
    event: &E,
) {
    let id = |salt: &[u8]| Uuid::new_v5(&aggregate_id, salt);
    let outcome = writer
        .append(Append {
            command_id: command_of(aggregate_id),
            aggregate_type,
            aggregate_id,
            expected: 0,
            correlation_id: id(b"journey"),
            causation: None,
            actor: serde_json::to_string(&actor).expect("JSON"),
            traceparent: None,
            occurred_at: Timestamp::UNIX_EPOCH,
            events: vec![NewEvent {
                id: id(b"event"),
                name: event.name(),
                organisation_id: aggregate_id,
                orgnr: orgnr.map(str::to_owned),
                kommunenummer: None,
                related: Vec::new(),
                class: event.class(),
                data: Bytes::from(event.encode()),
                payload: event.json().expect("JSON"),
            }],
        })
        .await;
    outcome.expect("appended");
}

/// The id of the command that led to the first event of an aggregate.
fn command_of(aggregate_id: Uuid) -> Uuid {
    Uuid::from_u128(!aggregate_id.as_u128() & !(0xf << 76))
}

// === impl World ===

impl World {
    /// The actor that a command is let through as, or the reason why it is not.
    async fn admit<C: CommandPayload>(
        &self,
        caller: Caller,
        aggregate_id: Uuid,
        command: C,
        mandate: &str,
    ) -> Result<Actor, &'static str> {
        self.admit_again(Uuid::nil(), caller, aggregate_id, command, mandate)
            .await
    }

    /// The same for a command whose id may have been used.
    async fn admit_again<C: CommandPayload>(
        &self,
        command_id: Uuid,
        caller: Caller,
        aggregate_id: Uuid,
        command: C,
        mandate: &str,
    ) -> Result<Actor, &'static str> {
        let request = Request {
            command,
            aggregate_id,
            command_id,
            expected_version: None,
            actor: Actor {
                mandate: mandate.to_owned(),
                ..Actor::default()
            },
            correlation_id: None,
            causation: None,
            traceparent: None,
        };
        let admitted = auth::answering(caller, self.authority.admit(request)).await;
        admitted
            .map(|request| request.actor)
            .map_err(|error: ApiError| error.reason())
    }

    async fn grant(&self, id: Uuid, commands: &[&str], until: Option<&str>) {
        let granted = mandate_event::Event::from(eco::MandateGranted {
            mandate_id: id.to_string(),
            from_orgnr: CLUB.to_owned(),
            to_orgnr: PLATFORM.to_owned(),
            commands: commands.iter().map(ToString::to_string).collect(),
            until: until.map(str::to_owned),
        });
        append(&self.ecosystem, "Mandate", id, Some(CLUB), by(CLUB), &granted).await;
    }
}

fn platform(number: &str) -> Caller {
    caller(number, Some(Stakeholder::Platform), [Scope::CommandsWrite])
}

fn club() -> Caller {
    caller(CLUB, None, [Scope::CommandsWrite])
}

fn pause() -> pb::initiative_command::Command {
    pb::PauseInitiative::default().into()
}

fn roles() -> pb::organisation_command::Command {
    pb::ReportRoles::default().into()
}

fn account() -> pb::organisation_command::Command {
    pb::OpenBankAccount::default().into()
}

#[tokio::test]
async fn nobody_and_who_lacks_the_scope_send_nothing() {
    let world = world().await;
    assert_eq!(
        world.admit(Caller::ANYBODY, INITIATIVE, pause(), "").await,
        Err("TOKEN_MISSING")
    );
    let reader = caller(
        PLATFORM,
        Some(Stakeholder::Platform),
        [Scope::ViewsRead, Scope::SubscriptionsWrite],
    );
    assert_eq!(world.admit(reader, INITIATIVE, pause(), "").await, Err("SCOPE_MISSING"));
}

#[tokio::test]
async fn what_has_no_number_belongs_to_the_one_who_began_it() {
    let world = world().await;
    let own = world
        .admit(platform(PLATFORM), INITIATIVE, pause(), "")
        .await
        .expect("its own");
    assert_eq!(
        (own.kind.as_str(), own.r#ref.as_str(), own.authenticated),
        ("platform", PLATFORM, true)
    );
    assert_eq!(
        world.admit(platform(OTHER), INITIATIVE, pause(), "").await,
        Err("NOT_YOURS")
    );
    assert_eq!(world.admit(club(), INITIATIVE, pause(), "").await, Err("NOT_YOURS"));
    let supports = pb::initiative_command::Command::from(pb::RegisterSupporter::default());
    world
        .admit(platform(OTHER), INITIATIVE, supports, "")
        .await
        .expect("anybody may support it");
}

#[tokio::test]
async fn what_a_system_user_began_belongs_to_its_customer() {
    let world = world().await;
    let begun = Uuid::from_u128(0x16);
    let system = Actor {
        kind: "platform".to_owned(),
        r#ref: PLATFORM.to_owned(),
        acting_for: CLUB.to_owned(),
        mandate: "a2b1".to_owned(),
        authenticated: true,
        ..Actor::default()
    };
    let sketched = initiative_event::Event::from(pb::InitiativeSketched::default());
    append(&world.registration, "Initiative", begun, None, system, &sketched).await;
    let customers = |platform: &str, customer: &str| system_user(platform, customer, [Scope::CommandsWrite]);
    for (who, caller, admitted) in [
        ("its system user", customers(PLATFORM, CLUB), true),
        ("the customer itself", club(), true),
        ("its system user elsewhere", customers(OTHER, CLUB), true),
        ("the platform itself", platform(PLATFORM), false),
        ("the platform for another", customers(PLATFORM, "310000027"), false),
    ] {
        let found = world.admit(caller, begun, pause(), "").await.map(drop);
        assert_eq!(found, if admitted { Ok(()) } else { Err("NOT_YOURS") }, "{who}");
    }
    let may_read = async |caller: Caller| {
        let gate = auth::answering(caller, world.authority.gate())
            .await
            .expect("the log answers");
        gate.view(View::Initiative, &Key::about(begun, None, None)).allows()
    };
    let reader = |customer| system_user(PLATFORM, customer, [Scope::ViewsRead]);
    assert!(may_read(reader(CLUB)).await, "its system user");
    let customer = caller(CLUB, None, [Scope::ViewsRead]);
    assert!(may_read(customer).await, "the customer itself");
    let elsewhere = system_user(OTHER, CLUB, [Scope::ViewsRead]);
    assert!(may_read(elsewhere).await, "its system user elsewhere");
    assert!(!may_read(reader("310000027")).await, "the platform for another");
    let itself = caller(PLATFORM, Some(Stakeholder::Platform), [Scope::ViewsRead]);
    assert!(!may_read(itself).await, "the platform itself");
}

#[tokio::test]
async fn a_command_may_not_build_on_what_is_somebody_elses() {
    let world = world().await;
    let plan = || {
        pb::founding_command::Command::from(pb::PlanFounding {
            initiative_id: Some(INITIATIVE.to_string()),
            ..pb::PlanFounding::default()
        })
    };
    let fresh = Uuid::from_u128(99);
    world
        .admit(platform(PLATFORM), fresh, plan(), "")
        .await
        .expect("on its own initiative");
    assert_eq!(world.admit(platform(OTHER), fresh, plan(), "").await, Err("NOT_YOURS"));
    let draft = || {
        pb::registration_case_command::Command::from(pb::DraftRegistration {
            organisation_id: ORGANISATION.to_string(),
            ..pb::DraftRegistration::default()
        })
    };
    world.admit(club(), fresh, draft(), "").await.expect("about itself");
    assert_eq!(
        world.admit(platform(OTHER), fresh, draft(), "").await,
        Err("NO_MANDATE")
    );
}

#[tokio::test]
async fn an_organisation_acts_for_itself_and_its_system_user_for_it() {
    let world = world().await;
    let own = world.admit(club(), ORGANISATION, roles(), "").await.expect("itself");
    assert_eq!((own.kind.as_str(), own.acting_for.as_str()), ("organisation", ""));
    let user = system_user(PLATFORM, CLUB, [Scope::CommandsWrite]);
    let actor = world
        .admit(user.clone(), ORGANISATION, roles(), "")
        .await
        .expect("its system user");
    assert_eq!(
        (
            actor.kind.as_str(),
            actor.r#ref.as_str(),
            actor.acting_for.as_str(),
            actor.mandate.as_str()
        ),
        ("platform", PLATFORM, CLUB, "a2b1")
    );
    let strangers = system_user(PLATFORM, "310000027", [Scope::CommandsWrite]);
    assert_eq!(
        world.admit(strangers, ORGANISATION, roles(), "").await,
        Err("NO_MANDATE")
    );
    assert_eq!(
        world.admit(platform(PLATFORM), ORGANISATION, roles(), "").await,
        Err("NO_MANDATE")
    );
}

#[tokio::test]
async fn a_mandate_covers_its_commands_until_its_last_day_and_for_the_one_who_has_it() {
    let world = world().await;
    world.grant(MANDATE, &["ReportRoles"], None).await;
    let mandate = MANDATE.to_string();
    let actor = world
        .admit(platform(PLATFORM), ORGANISATION, roles(), &mandate)
        .await
        .expect("covered");
    assert_eq!(
        (actor.acting_for.as_str(), actor.mandate.as_str()),
        (CLUB, mandate.as_str())
    );
    assert_eq!(
        world.admit(platform(PLATFORM), ORGANISATION, account(), &mandate).await,
        Err("NOT_IN_MANDATE")
    );
    assert_eq!(
        world.admit(platform(OTHER), ORGANISATION, roles(), &mandate).await,
        Err("NO_MANDATE")
    );
    let over = Uuid::from_u128(0x14);
    world.grant(over, &[], Some("2020-01-01")).await;
    assert_eq!(
        world
            .admit(platform(PLATFORM), ORGANISATION, roles(), &over.to_string())
            .await,
        Err("MANDATE_OVER")
    );
    let unknown = Uuid::from_u128(0x15).to_string();
    assert_eq!(
        world.admit(platform(PLATFORM), ORGANISATION, roles(), &unknown).await,
        Err("NO_MANDATE")
    );
    assert_eq!(
        world.admit(platform(PLATFORM), ORGANISATION, roles(), "mine").await,
        Err("INVALID_FIELD")
    );
}

#[tokio::test]
async fn i4_what_was_sent_under_a_mandate_may_be_sent_again_when_it_is_over() {
    let world = world().await;
    world.grant(MANDATE, &[], Some("2020-01-01")).await;
    let mandate = MANDATE.to_string();
    let opened_in = Uuid::from_u128(0x16);
    let sent = Actor {
        kind: "platform".to_owned(),
        acting_for: CLUB.to_owned(),
        mandate: mandate.clone(),
        ..by(PLATFORM)
    };
    let opened = organisation_event::Event::from(pb::BankAccountLinked::default());
    append(
        &world.registration,
        "Organisation",
        opened_in,
        Some(CLUB),
        sent.clone(),
        &opened,
    )
    .await;
    let again = async |caller, mandate: &str| {
        let command = account();
        world
            .admit_again(command_of(opened_in), caller, ORGANISATION, command, mandate)
            .await
    };
    assert_eq!(again(platform(PLATFORM), &mandate).await, Ok(sent));
    assert_eq!(
        again(platform(PLATFORM), "").await,
        Err("NO_MANDATE"),
        "in another capacity"
    );
    assert_eq!(again(platform(OTHER), &mandate).await, Err("NO_MANDATE"));
    let user = system_user(PLATFORM, "310000027", [Scope::CommandsWrite]);
    assert_eq!(again(user, &mandate).await, Err("NO_MANDATE"));
}

#[tokio::test]
async fn an_organisation_that_a_command_names_sends_it_itself() {
    let world = world().await;
    let join = |host: &str| {
        pb::initiative_command::Command::from(pb::JoinExistingOrganisation {
            host_orgnr: host.to_owned(),
            ..pb::JoinExistingOrganisation::default()
        })
    };
    world
        .admit(club(), INITIATIVE, join(CLUB), "")
        .await
        .expect("the host itself");
    assert_eq!(
        world.admit(platform(PLATFORM), INITIATIVE, join(CLUB), "").await,
        Err("NO_MANDATE")
    );
    assert_eq!(
        world.admit(club(), INITIATIVE, join("310000018"), "").await,
        Err("INVALID_FIELD")
    );
}

#[tokio::test]
async fn what_an_authority_decides_is_the_authoritys() {
    let world = world().await;
    let assign = || pb::organisation_command::Command::from(pb::AssignOrgnr::default());
    let brreg = caller(BRREG, Some(Stakeholder::Brreg), [Scope::AuthorityWrite]);
    let actor = world
        .admit(brreg, ORGANISATION, assign(), "")
        .await
        .expect("the authority");
    assert_eq!((actor.kind.as_str(), actor.r#ref.as_str()), ("authority", BRREG));
    let impostor = caller(PLATFORM, Some(Stakeholder::Platform), [Scope::AuthorityWrite]);
    assert_eq!(
        world.admit(impostor, ORGANISATION, assign(), "").await,
        Err("NOT_THE_AUTHORITY")
    );
    assert_eq!(
        world.admit(club(), ORGANISATION, assign(), "").await,
        Err("SCOPE_MISSING")
    );
    let expire = pb::initiative_command::Command::from(pb::ExpireInitiative::default());
    assert_eq!(
        world.admit(platform(PLATFORM), INITIATIVE, expire, "").await,
        Err("NOT_FOR_SENDING")
    );
}
