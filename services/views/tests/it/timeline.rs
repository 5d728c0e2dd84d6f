//! Queries of the timeline.

use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::registration::v1::registration_case_event::Event as Case;
use ryggrad_proto::registration::v1::{AnnualAccountsSubmitted, DissolutionReported, RegistrationDrafted};
use ryggrad_proto::views::v1::{ListTimelineRequest, TimelineEntry};

use crate::world::{About, Organisation, World, field, fresh};

fn names(entries: &[TimelineEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.event.as_str()).collect()
}

/// An organisation with four events, and one that another's case names as related.
async fn world() -> (World, Organisation, ListTimelineRequest) {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    let more: [Event; 2] = [
        AnnualAccountsSubmitted {
            year: 2025,
            ..Default::default()
        }
        .into(),
        DissolutionReported::default().into(),
    ];
    world
        .append("Organisation", organisation.id, 2, &organisation.about(), &more)
        .await;
    let about = About {
        organisation: fresh(),
        orgnr: None,
        related: vec![organisation.id],
    };
    let drafted = Case::from(RegistrationDrafted {
        organisation_id: about.organisation.to_string(),
        ..Default::default()
    });
    let at_least = world.append("RegistrationCase", fresh(), 0, &about, &[drafted]).await;
    let request = ListTimelineRequest {
        organisation: organisation.id.to_string(),
        at_least,
        ..ListTimelineRequest::default()
    };
    (world, organisation, request)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_is_in_order_and_explained_by_the_catalogue() {
    let (mut world, organisation, request) = world().await;
    let answer = world
        .client
        .list_timeline(request.clone())
        .await
        .expect("an answer")
        .into_inner();
    let all = [
        "OrganisationRegistered",
        "VoluntaryRegistrationEntered",
        "AnnualAccountsSubmitted",
        "DissolutionReported",
        "RegistrationDrafted",
    ];
    assert_eq!(names(&answer.entries), all);
    let last = &answer.entries[4];
    assert!(last.related && last.organisation_id == organisation.id.to_string());
    assert_eq!(
        (answer.entries[0].norwegian_term.as_str(), answer.entries[0].phase),
        ("registrert i Enhetsregisteret", 2)
    );
    let request = ListTimelineRequest {
        newest_first: true,
        organisation: organisation.orgnr,
        ..request
    };
    let newest = world
        .client
        .list_timeline(request)
        .await
        .expect("an answer by number")
        .into_inner();
    assert_eq!(names(&newest.entries), all.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let (mut world, _, request) = world().await;
    for newest_first in [false, true] {
        let mut request = ListTimelineRequest {
            page_size: 2,
            newest_first,
            ..request.clone()
        };
        let mut positions = Vec::new();
        loop {
            let answer = world
                .client
                .list_timeline(request.clone())
                .await
                .expect("a page")
                .into_inner();
            positions.extend(answer.entries.iter().map(|entry| entry.position));
            if answer.next_page_token.is_empty() {
                break;
            }
            request.page_token = answer.next_page_token;
        }
        positions.sort_unstable();
        assert_eq!(positions, [1, 2, 3, 4, 5]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_phases_filter() {
    let (mut world, _, request) = world().await;
    for (events, phases, expected) in [
        (vec!["DissolutionReported"], vec![], vec!["DissolutionReported"]),
        (
            vec![],
            vec![3, 6],
            vec!["AnnualAccountsSubmitted", "DissolutionReported"],
        ),
        (vec!["AnnualAccountsSubmitted"], vec![6], vec![]),
    ] {
        let events = events.into_iter().map(str::to_owned).collect();
        let answer = world
            .client
            .list_timeline(ListTimelineRequest {
                events,
                phases,
                ..request.clone()
            })
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(names(&answer.entries), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_known_of_an_unknown_organisation() {
    let (mut world, _, request) = world().await;
    for organisation in [fresh().to_string(), Organisation::nth(99).orgnr] {
        let answer = world
            .client
            .list_timeline(ListTimelineRequest {
                organisation,
                ..request.clone()
            })
            .await
            .expect("an answer")
            .into_inner();
        assert!(answer.entries.is_empty() && answer.as_of >= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_by_their_field() {
    let mut world = World::begin().await;
    let good = ListTimelineRequest {
        organisation: fresh().to_string(),
        ..ListTimelineRequest::default()
    };
    for (request, expected) in [
        (
            ListTimelineRequest {
                organisation: "x".into(),
                ..good.clone()
            },
            "organisation",
        ),
        (
            ListTimelineRequest {
                organisation: "313000008".into(),
                ..good.clone()
            },
            "organisation",
        ),
        (
            ListTimelineRequest {
                organisation: "a\0".into(),
                ..good.clone()
            },
            "organisation",
        ),
        (
            ListTimelineRequest {
                phases: vec![2, 7],
                ..good.clone()
            },
            "phases[1]",
        ),
        (
            ListTimelineRequest {
                events: vec!["Registered".into()],
                ..good.clone()
            },
            "events[0]",
        ),
        (
            ListTimelineRequest {
                page_size: 1_001,
                ..good.clone()
            },
            "page_size",
        ),
        (
            ListTimelineRequest {
                page_token: "page 2".into(),
                ..good.clone()
            },
            "page_token",
        ),
    ] {
        let refused = world.client.list_timeline(request).await.expect_err("refused");
        assert_eq!(field(&refused), expected);
    }
}
