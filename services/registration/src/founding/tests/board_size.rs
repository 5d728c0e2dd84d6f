//! The board is as large as the bylaws say; where they do not say, there is advice.

use ryggrad_decider::Nature;
use ryggrad_proto::registration::v1 as pb;

use super::{HASH, KARI, OLA, adopt, checklist, convened, founding, held, role};
use crate::founding::Event;

const LIV: &str = "00000000-0000-4000-8000-0000000000b3";

fn size(board_min: Option<u32>, board_max: Option<u32>) -> pb::BoardSize {
    pb::BoardSize { board_min, board_max }
}

fn adopted(size: pb::BoardSize) -> Event {
    pb::BylawsAdopted {
        version: 1,
        board_size: Some(size),
        ..Default::default()
    }
    .into()
}

fn elect(members: &[&str]) -> pb::ElectInterimBoard {
    let mut roles = vec![role("LEDE", KARI)];
    roles.extend(members.iter().map(|who| role("MEDL", who)));
    pb::ElectInterimBoard {
        roles,
        body: "stiftelsesmøte".into(),
        minutes_hash: HASH.into(),
        ..Default::default()
    }
}

#[track_caller]
fn elected(events: &[Event]) -> pb::BoardElected {
    match events {
        [Event::BoardElected(elected)] => elected.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bylaws_that_ask_for_more_refuse_a_smaller_board() {
    let with = |size| founding("FLI", [convened(), held(), adopted(size)]);
    let refusal = with(size(Some(3), None))
        .when(elect(&[OLA]))
        .then_refused("R-2.08", "BoardSizeNotAsBylaws");
    assert_eq!(refusal.rule.nature, Nature::Bylaws);
    assert_eq!(refusal.params, [("n", "2".to_owned()), ("board_min", "3".to_owned())]);
    with(size(None, Some(2)))
        .when(elect(&[OLA, LIV]))
        .then_refused("R-2.08", "BoardSizeNotAsBylaws");
    with(size(Some(3), Some(3)))
        .when(elect(&[OLA, LIV]))
        .then_names(&["BoardElected"]);
}

#[test]
fn deputies_are_not_counted_as_the_board() {
    let mut election = elect(&[OLA]);
    election.roles.push(role("VARA", LIV));
    founding("FLI", [convened(), held(), adopted(size(Some(3), None))])
        .when(election)
        .then_refused("R-2.08", "BoardSizeNotAsBylaws");
}

#[test]
fn where_the_bylaws_do_not_say_there_is_advice_that_stops_nobody() {
    let silent = || founding("FLI", [convened(), held(), adopted(pb::BoardSize::default())]);
    let (_, events) = silent().when(elect(&[OLA])).then_names(&["BoardElected"]);
    let small = elected(&events);
    assert_eq!(small.board_size, Some(size(Some(3), Some(9))));
    assert!(small.board_size_is_default && !small.board_size_as_advised);
    let (_, events) = silent().when(elect(&[OLA, LIV])).then_names(&["BoardElected"]);
    assert!(elected(&events).board_size_as_advised);
}

#[test]
fn bylaws_that_say_both_numbers_leave_no_default() {
    let (_, events) = founding("FLI", [convened(), held(), adopted(size(Some(2), Some(5)))])
        .when(elect(&[OLA]))
        .then_names(&["BoardElected"]);
    let board = elected(&events);
    assert_eq!(board.board_size, Some(size(Some(2), Some(5))));
    assert!(!board.board_size_is_default && board.board_size_as_advised);
}

#[test]
fn bylaws_adopted_after_the_election_have_to_fit_the_board() {
    let elected: Event = pb::BoardElected {
        roles: elect(&[OLA]).roles,
        ..Default::default()
    }
    .into();
    let with = |size| pb::AdoptBylaws {
        board_size: Some(size),
        ..adopt(checklist())
    };
    let refusal = founding("FLI", [convened(), held(), elected.clone()])
        .when(with(size(Some(3), None)))
        .then_refused("R-2.08", "BoardSizeNotAsBylaws");
    assert_eq!(refusal.field.as_deref(), Some("board_size"));
    founding("FLI", [convened(), held(), elected])
        .when(with(size(Some(2), None)))
        .then_names(&["BylawsAdopted"]);
}

#[test]
fn numbers_that_no_board_can_have_are_refused() {
    for size in [
        size(Some(0), None),
        size(None, Some(256)),
        size(Some(5), Some(4)),
        size(Some(u32::MAX), None),
    ] {
        let refusal = founding("FLI", [convened(), held()])
            .when(pb::AdoptBylaws {
                board_size: Some(size),
                ..adopt(checklist())
            })
            .then_refused("R-0.00", "InvalidField");
        assert_eq!(refusal.field.as_deref(), Some("board_size"), "{size:?}");
    }
}
