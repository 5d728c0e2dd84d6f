//! The whole way of a club, through the public API, and what is left of it in the log.

use ryggrad::demo::{Voice, story};
use ryggrad_norway::PersonNumber;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use ryggrad_proto::registration::v1::{GetOrganisationRequest, OrganisationState};

use crate::harness::whole;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_club_goes_from_the_first_idea_to_the_voluntary_register() {
    let whole = whole().await;
    let organisation = story(whole.channel.clone(), Voice::Silent)
        .await
        .expect("the story is told to its end");

    let mut registration = RegistrationServiceClient::new(whole.channel.clone());
    let request = GetOrganisationRequest {
        organisation_id: organisation,
        at_least: 0,
    };
    let club = registration
        .get_organisation(request)
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

    i7_no_row_of_the_log_tells_about_a_person(&whole.owner()).await;
    whole.stack.stop().await;
}

/// Invariant I7 in the rows: nothing that looks like an identity number, an account number or an e-mail address.
async fn i7_no_row_of_the_log_tells_about_a_person(owner: &sqlx::PgPool) {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select name, concat_ws(' ', payload::text, actor::text) from log.events order by position")
            .fetch_all(owner)
            .await
            .expect("the log");
    assert!(rows.len() > 30, "only {} events", rows.len());
    for (name, text) in rows {
        assert!(!text.contains('@'), "{name} has an e-mail address: {text}");
        for number in text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() == 11)
        {
            assert!(
                PersonNumber::parse(number).is_err(),
                "{name} has an identity number: {text}"
            );
            assert!(
                number.parse::<u64>().is_err(),
                "{name} has a number as long as an account's: {text}"
            );
        }
    }
}
