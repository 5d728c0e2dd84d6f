//! What operators do, through the admin service of the running roles.

use std::time::Duration;

use ryggrad_client::{Bearer, Connection};
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{
    AdvanceClockRequest, GetClockRequest, ListDeadlinesRequest, ListParkedRequest, ListProjectionsRequest, Projection,
    RebuildRequest, UnparkRequest,
};
use ryggrad_testkit::eventually;
use tonic::Code;

use crate::harness::{Whole, views_equal_their_folds, whole};

async fn projections(admin: &AdminClient<Connection>) -> Vec<Projection> {
    let answer = admin.clone().list_projections(ListProjectionsRequest {}).await;
    answer.expect("the views are listed").into_inner().projections
}

/// Waits until every view has taken in what the log has.
pub(crate) async fn caught_up(admin: &AdminClient<Connection>) {
    eventually(Duration::from_mins(1), || async {
        let all = projections(admin).await;
        match all
            .iter()
            .find(|view| view.state != "serving" || view.position < view.head)
        {
            None if all.len() == ryggrad_views::Views::NAMES.len() => Ok(()),
            other => Err(format!("{} views, {other:?}", all.len())),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_rebuilt_while_commands_arrive_and_is_the_same() {
    let whole = whole().await;
    let mut admin = AdminClient::new(whole.connect_as("orch"));
    for _ in 0..200 {
        whole.sketch().await.expect("accepted");
    }
    caught_up(&admin).await;

    let started = admin
        .rebuild(RebuildRequest {
            name: "org_timeline".to_owned(),
        })
        .await
        .expect("started")
        .into_inner();
    assert_eq!(started.projection.expect("a view").state, "building");
    for _ in 0..200 {
        whole.sketch().await.expect("accepted");
    }
    caught_up(&admin).await;
    views_equal_their_folds(&whole).await;

    let unknown = admin
        .rebuild(RebuildRequest {
            name: "nothing".to_owned(),
        })
        .await
        .expect_err("there is none");
    assert_eq!(unknown.code(), Code::NotFound);
    whole.stack.stop().await;
}

#[tokio::test]
async fn the_simulated_clock_moves_forward_and_never_back() {
    let whole = whole().await;
    let mut admin = AdminClient::new(whole.connect_as("orch"));
    let shown = admin.get_clock(GetClockRequest {}).await.expect("shown").into_inner();
    assert!(shown.simulated);
    let by = |by: &str| AdvanceClockRequest {
        by: by.to_owned(),
        to: None,
    };
    let moved = admin
        .advance_clock(by("6w"))
        .await
        .expect("moved")
        .into_inner()
        .now
        .expect("an instant");
    let now: jiff::Timestamp = moved.try_into().expect("an instant");
    assert_eq!(
        now.to_string(),
        "2026-04-13T10:00:00Z",
        "six weeks later at the same hour in Norway"
    );
    for wrong in ["", "6 fortnights", "-1d"] {
        let refused = admin.advance_clock(by(wrong)).await.expect_err("not a way forward");
        assert_eq!(refused.code(), Code::InvalidArgument, "{wrong:?}");
    }
    let to = Some(jiff::Timestamp::UNIX_EPOCH.into());
    let back = AdvanceClockRequest {
        to,
        ..Default::default()
    };
    let refused = admin.advance_clock(back).await.expect_err("not a way forward");
    assert!(refused.message().starts_with("to: "), "{refused}");
    whole.stack.stop().await;
}

#[tokio::test]
async fn only_an_operator_operates_and_everybody_sees_the_time() {
    let whole = whole().await;
    let anybody = AdminClient::new(Connection::new(whole.channel.clone(), Bearer::default()));
    let authority = AdminClient::new(whole.connect_as("brreg"));
    for (mut admin, code) in [(anybody, Code::Unauthenticated), (authority, Code::PermissionDenied)] {
        admin.get_clock(GetClockRequest {}).await.expect("for everybody");
        let views = admin.list_projections(ListProjectionsRequest {}).await;
        assert!(!views.expect("for everybody").into_inner().projections.is_empty());
        let to = Some(jiff::Timestamp::MAX.into());
        let moved = admin
            .advance_clock(AdvanceClockRequest {
                to,
                ..Default::default()
            })
            .await;
        assert_eq!(moved.expect_err("not by them").code(), code);
        let parked = admin.list_parked(ListParkedRequest::default()).await;
        assert_eq!(parked.expect_err("not for them").code(), code);
        let unparked = admin.unpark(UnparkRequest::default()).await;
        assert_eq!(unparked.expect_err("not by them").code(), code);
        let deadlines = admin.list_deadlines(ListDeadlinesRequest::default()).await;
        assert_eq!(deadlines.expect_err("not for them").code(), code);
        let rebuilt = admin.rebuild(RebuildRequest::default()).await;
        assert_eq!(rebuilt.expect_err("not by them").code(), code);
    }
    whole.stack.stop().await;
}

#[tokio::test]
async fn deadlines_are_listed_by_due_time_page_after_page() {
    let whole = whole().await;
    let mut admin = AdminClient::new(whole.connect_as("orch"));
    for _ in 0..3 {
        whole.sketch().await.expect("accepted");
    }
    let mut request = ListDeadlinesRequest {
        state: "pending".to_owned(),
        ..Default::default()
    };
    let all = eventually(Duration::from_secs(30), || async {
        let page = admin.clone().list_deadlines(request.clone()).await;
        let all = page.map_err(|status| status.to_string())?.into_inner().deadlines;
        // Each pauses after a while without activity, and ends after another.
        (all.len() == 6)
            .then_some(all.clone())
            .ok_or_else(|| format!("{all:?}"))
    })
    .await;
    let mut paged = Vec::new();
    request.page_size = 4;
    for size in [4, 2] {
        let page = admin
            .list_deadlines(request.clone())
            .await
            .expect("listed")
            .into_inner();
        assert_eq!(page.deadlines.len(), size);
        paged.extend(page.deadlines);
        request.page_token = page.next_page_token;
    }
    assert_eq!((paged, request.page_token.as_str()), (all.clone(), ""));
    let timers: Vec<_> = all.iter().map(|deadline| &*deadline.timer).collect();
    assert_eq!(timers, ["T-1.1", "T-1.1", "T-1.1", "T-1.2", "T-1.2", "T-1.2"]);
    assert!(all.is_sorted_by_key(|deadline| (deadline.due_at.map(|at| (at.seconds, at.nanos)), deadline.id.clone())));

    let of_one = ListDeadlinesRequest {
        aggregate_id: all[0].aggregate_id.clone(),
        ..Default::default()
    };
    let of_one = admin
        .list_deadlines(of_one)
        .await
        .expect("listed")
        .into_inner()
        .deadlines;
    assert!(of_one.contains(&all[0]), "{of_one:?}");
    let failing = admin.list_deadlines(ListDeadlinesRequest::default()).await;
    assert!(failing.expect("listed").into_inner().deadlines.is_empty());
    for (state, aggregate_id) in [("done", ""), ("pending", "315000009"), ("", "315000009")] {
        let wrong = ListDeadlinesRequest {
            state: state.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            ..Default::default()
        };
        let refused = admin.list_deadlines(wrong).await.expect_err("there is no such thing");
        assert_eq!(refused.code(), Code::InvalidArgument, "{state} {aggregate_id}");
    }
    whole.stack.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_organisation_is_shown_with_its_cause_and_goes_on_when_it_is_mended() {
    let whole = whole().await;
    let admin = AdminClient::new(whole.connect_as("orch"));
    let poisoned = whole.sketch().await.expect("accepted");
    caught_up(&admin).await;
    let owner = whole.owner();
    // Bytes that no fold can read, in the log and the stream alike: a reader of yesterday has met a writer of tomorrow.
    let (position, good) = break_the_view(&whole, &owner, &poisoned.aggregate_id).await;

    let listed = eventually(Duration::from_secs(30), || async {
        let request = ListParkedRequest {
            consumer: "register_case".to_owned(),
            ..Default::default()
        };
        let parked = admin
            .clone()
            .list_parked(request)
            .await
            .map_err(|status| status.to_string())?
            .into_inner()
            .parked;
        parked.into_iter().next().ok_or_else(|| "nothing is parked".to_owned())
    })
    .await;
    assert_eq!((listed.position, listed.waiting), (position, 1));
    assert!(!listed.cause.is_empty());

    let request = UnparkRequest {
        consumer: listed.consumer.clone(),
        organisation_id: listed.organisation_id.clone(),
    };
    let again = admin
        .clone()
        .unpark(request.clone())
        .await
        .expect_err("the cause is still there");
    assert_eq!(again.code(), Code::FailedPrecondition, "{again}");

    sqlx::query("alter table log.events disable trigger events_never_change")
        .execute(&owner)
        .await
        .expect("the owner may do everything");
    sqlx::query("update log.events set data = $2 where position = $1")
        .bind(i64::try_from(position).expect("a position"))
        .bind(good)
        .execute(&owner)
        .await
        .expect("mended");
    let applied = admin
        .clone()
        .unpark(request)
        .await
        .expect("it goes on")
        .into_inner()
        .applied;
    assert_eq!(applied, 1);
    whole.stack.stop().await;
}

/// Writes a case's first event with bytes that cannot be read, and answers with its position and the right bytes.
async fn break_the_view(whole: &Whole, owner: &sqlx::PgPool, organisation: &str) -> (u64, Vec<u8>) {
    use ryggrad_proto::registration::v1::DraftRegistration;
    use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;

    let trigger = "
        create function log.spoil() returns trigger language plpgsql as $$
        begin
            if new.name = 'RegistrationDrafted' then new.data := '\\x0aff'; end if;
            return new;
        end $$;
        create trigger spoil before insert on log.events for each row execute function log.spoil();";
    sqlx::raw_sql(trigger)
        .execute(owner)
        .await
        .expect("the owner may do everything");
    let command = DraftRegistration {
        organisation_id: organisation.to_owned(),
        registers: vec!["ER".to_owned()],
        kind: 1,
        ..Default::default()
    };
    let receipt = RegistrationServiceClient::new(whole.app())
        .draft_registration(command)
        .await;
    let receipt = receipt.expect("accepted").into_inner();
    sqlx::raw_sql("drop trigger spoil on log.events")
        .execute(owner)
        .await
        .expect("the owner may do everything");
    let event = ryggrad_proto::registration::v1::RegistrationDrafted {
        case_id: receipt.aggregate_id,
        organisation_id: organisation.to_owned(),
        registers: vec!["ER".to_owned()],
        kind: 1,
        ..Default::default()
    };
    (receipt.position, prost::Message::encode_to_vec(&event))
}
