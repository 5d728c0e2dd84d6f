//! The trace that a look-up at the registers' doors leaves, as one in the directory does.

use std::collections::BTreeSet;

use ryggrad_eventlog::Log;
use ryggrad_proto::ecosystem::v1::access_log_event;

use super::{ER, FR};
use crate::http::{Answer, get_with};
use crate::world::{Organisation, World};

/// What a party gets at a path of the registers' doors.
async fn door(world: &World, party: Option<&str>, path: &str) -> Answer {
    let token = party.map(|party| format!("Bearer {}", world.issuer.usual(party)));
    let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
    get_with(world.address, path, &headers).await
}

/// Whom the access log names since a position, by reading, and for which view.
async fn noted(world: &World, since: u64) -> Vec<(String, BTreeSet<String>)> {
    let log = Log::new(world.writer.clone());
    let events = log.after(since, 1_000).await.expect("the log");
    let accessed = events.iter().map(|event| {
        let decoded = event.decode::<access_log_event::Event>().expect("a message");
        let Some(access_log_event::Event::ViewAccessed(accessed)) = decoded else {
            panic!("{event:?}")
        };
        assert_eq!(
            (&*accessed.stakeholder, &*accessed.legal_basis),
            ("KOMMUNE", "open data"),
            "{accessed:?}"
        );
        (accessed.view, accessed.organisation_ids.into_iter().collect())
    });
    accessed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_authority_looks_up_at_a_registers_door_leaves_a_trace_of_whom_the_page_shows() {
    let world = World::begin().await;
    let [one, two, three] = [1, 2, 3].map(Organisation::nth);
    for organisation in [&one, &two, &three] {
        world.register(organisation).await;
    }
    world.caught_up().await;
    let ids = |organisations: &[&Organisation]| -> BTreeSet<String> {
        organisations.iter().map(|shown| shown.id.to_string()).collect()
    };
    let (units, changes) = ("register_units", "register_changes");
    for (path, view, shown) in [
        (format!("{ER}/enheter/{}", one.orgnr), units, ids(&[&one])),
        (format!("{ER}/enheter?navn=Lag%202"), units, ids(&[&two])),
        (
            format!("{ER}/enheter?size=2&sort=organisasjonsnummer"),
            units,
            ids(&[&one, &two]),
        ),
        (
            format!("{ER}/oppdateringer/enheter?size=4"),
            changes,
            ids(&[&one, &two]),
        ),
        (
            format!("{ER}/oppdateringer/enheter?organisasjonsnummer={}", three.orgnr),
            changes,
            ids(&[&three]),
        ),
        (
            format!("{FR}/frivillige-organisasjoner/{}", two.orgnr),
            units,
            ids(&[&two]),
        ),
        (
            format!("{FR}/frivillige-organisasjoner?searchAfter={}", one.orgnr),
            units,
            ids(&[&two, &three]),
        ),
        (
            format!("{FR}/oppdateringer/frivillige-organisasjoner?oppdateringsid=5"),
            changes,
            ids(&[&three]),
        ),
    ] {
        let before = world.head().await;
        let open = door(&world, None, &path).await;
        let own = door(&world, Some(&format!("org:{}", one.orgnr)), &path).await;
        assert_eq!(world.head().await, before, "{path}: who needs no token leaves no trace");
        let answer = door(&world, Some("kommune:0301"), &path).await;
        assert_eq!((answer.status, own.status), (200, 200), "{path}");
        assert_eq!(answer.json(), open.json(), "{path}: everybody is told the same");
        assert_eq!(noted(&world, before).await, [(view.to_owned(), shown)], "{path}");
    }
    // Who is told of nobody in particular, or of nobody, leaves none.
    let before = world.head().await;
    for (path, status) in [
        (format!("{ER}/enheter/lastned"), 200),
        (format!("{FR}/frivillige-organisasjoner/lastned"), 200),
        (format!("{ER}/organisasjonsformer"), 200),
        (format!("{FR}/icnpo-kategorier"), 200),
        (format!("{ER}/enheter/{}", Organisation::nth(9).orgnr), 404),
        (format!("{ER}/enheter?navn=nobody"), 200),
        (format!("{ER}/oppdateringer/enheter?oppdateringsid=1000"), 200),
        (format!("{ER}/enheter?colour=red"), 400),
    ] {
        assert_eq!(door(&world, Some("kommune:0301"), &path).await.status, status, "{path}");
    }
    assert_eq!(world.head().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registers_door_shows_nothing_that_it_cannot_write_down() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    world.caught_up().await;
    world.forbid_the_access_log().await;
    for path in [
        format!("{ER}/enheter/{}", organisation.orgnr),
        format!("{ER}/enheter"),
        format!("{ER}/oppdateringer/enheter"),
        format!("{FR}/frivillige-organisasjoner/{}", organisation.orgnr),
        format!("{FR}/frivillige-organisasjoner"),
        format!("{FR}/oppdateringer/frivillige-organisasjoner"),
    ] {
        let refused = door(&world, Some("kommune:0301"), &path).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{path}");
        let body = refused.json();
        assert_eq!(
            (&body["status"], body.get("_embedded"), body.get("navn")),
            (&503.into(), None, None)
        );
        assert_eq!(door(&world, None, &path).await.status, 200, "{path}");
    }
}
