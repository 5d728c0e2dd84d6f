//! The whole way of a club, through the public API: what the views tell of it, and what is left of it in the log.

use std::time::Duration;

use ryggrad::demo::{Voice, story};
use ryggrad_proto::events::v1::HeadRequest;
use ryggrad_proto::events::v1::event_stream_client::EventStreamClient;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_proto::registration::v1::{GetOrganisationRequest, OrganisationState};
use ryggrad_proto::views::v1::views_client::ViewsClient;
use ryggrad_proto::views::v1::{GetDirectoryEntryRequest, ListRegisterCasesRequest, ListTimelineRequest};
use ryggrad_testkit::eventually;
use tonic::Code;

use crate::harness::{Whole, views_equal_their_folds, whole};
use crate::privacy::i7_no_row_of_the_log_tells_about_a_person;

/// Where the log ends.
async fn head(whole: &Whole) -> u64 {
    let mut events = EventStreamClient::new(whole.channel.clone());
    events
        .head(HeadRequest {})
        .await
        .expect("the gateway answers")
        .into_inner()
        .position
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_club_goes_from_the_first_idea_to_the_voluntary_register() {
    let whole = whole().await;
    let organisation = story(
        whole.channel.clone(),
        |party| Ok(whole.issuer.usual(party).into()),
        Voice::Silent,
    )
    .await
    .expect("the story is told to its end");

    let orgnr: String = sqlx::query_scalar("select orgnr from log.events where name = 'OrganisationRegistered'")
        .fetch_one(&whole.owner())
        .await
        .expect("it is registered");
    let request = || GetOrganisationRequest {
        organisation_id: organisation.clone(),
        at_least: 0,
    };
    // The app that began it for the founders needs a mandate from now on; what is in the registers everybody sees elsewhere.
    for other in ["platform:2", "brreg", "kommune:4203"] {
        let mut registration = RegistrationServiceClient::new(whole.connect_as(other));
        let denied = registration.get_organisation(request()).await.expect_err(other);
        assert_eq!(denied.code(), Code::PermissionDenied, "{other}");
    }
    let mut registration = RegistrationServiceClient::new(whole.connect_as(&format!("org:{orgnr}")));
    let club = registration
        .get_organisation(request())
        .await
        .expect("it exists")
        .into_inner();
    assert_eq!(club.state(), OrganisationState::RegisteredVoluntary);
    assert!(
        club.orgnr.starts_with(['2', '3']),
        "{} is not of the synthetic series",
        club.orgnr
    );
    assert_eq!(club.icnpo, ["5100", "1200"]);

    the_views_tell_of_it(&whole, &organisation, &club.orgnr).await;
    i7_no_row_of_the_log_tells_about_a_person(&whole.owner()).await;
    views_equal_their_folds(&whole).await;
    whole.stack.stop().await;
}

/// What its board, its municipality and the register can read, as soon as everything has come to them.
async fn the_views_tell_of_it(whole: &Whole, organisation: &str, orgnr: &str) {
    eventually(Duration::from_mins(1), || told(whole, organisation, orgnr)).await;
}

async fn told(whole: &Whole, organisation: &str, orgnr: &str) -> Result<(), String> {
    let at_least = head(whole).await;
    let mut views = ViewsClient::new(whole.connect_as(&format!("org:{orgnr}")));
    let failed = |status: tonic::Status| status.to_string();
    let request = ListTimelineRequest {
        organisation: orgnr.to_owned(),
        page_size: 100,
        at_least,
        ..Default::default()
    };
    let timeline = views.list_timeline(request).await.map_err(failed)?.into_inner();
    let events: Vec<_> = timeline.entries.iter().map(|entry| entry.event.as_str()).collect();
    let expected = [
        "OrganisationFounded",
        "RegistrationSubmitted",
        "OrganisationRegistered",
        "GrasrotParticipationApproved",
    ];
    if let Some(missing) = expected.iter().find(|event| !events.contains(event)) {
        return Err(format!("{missing} is not among {events:?}"));
    }

    let request = GetDirectoryEntryRequest {
        organisation: organisation.to_owned(),
        at_least,
    };
    let entry = views
        .get_directory_entry(request)
        .await
        .map_err(failed)?
        .into_inner()
        .entry
        .unwrap_or_default();
    if (&*entry.orgnr, &*entry.status, &*entry.kommunenummer) != (orgnr, "registered_voluntary", "4203") {
        return Err(format!("the directory has {entry:?}"));
    }

    let request = ListRegisterCasesRequest {
        organisation: organisation.to_owned(),
        at_least,
        ..Default::default()
    };
    let cases = views
        .list_register_cases(request)
        .await
        .map_err(failed)?
        .into_inner()
        .register_cases;
    match cases.as_slice() {
        [case] if case.state == "registered" => Ok(()),
        cases => Err(format!("the cases are {cases:?}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_right_after_writing_shows_what_was_written() {
    let whole = whole().await;
    let views = ViewsClient::new(whole.app());
    for _ in 0..20 {
        let receipt = whole.sketch().await.expect("accepted");
        let request = ListTimelineRequest {
            organisation: receipt.aggregate_id.clone(),
            at_least: receipt.position,
            ..Default::default()
        };
        // On a busy machine the wait may end before the view is there; then the answer says so, and one asks again.
        let timeline = eventually(Duration::from_mins(1), || {
            let (mut views, request) = (views.clone(), request.clone());
            async move {
                let timeline = views.list_timeline(request).await?.into_inner();
                anyhow::ensure!(timeline.as_of >= receipt.position, "the view is at {}", timeline.as_of);
                anyhow::Ok(timeline)
            }
        })
        .await;
        let events: Vec<_> = timeline.entries.iter().map(|entry| &*entry.event).collect();
        assert_eq!(
            events,
            ["InitiativeSketched"],
            "an answer that is not behind shows what was written"
        );
    }
    whole.stack.stop().await;
}
