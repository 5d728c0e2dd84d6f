//! A unit that the register has removed: what is left of it, and what it is told as.

use ryggrad_proto::registration::v1 as pb;

use super::{mirrored, snapshot};
use crate::organisation::tests::{ORGNR, organisation};
use crate::organisation::{Event, Grasrot, Status};

/// What is left of a removed unit in the register.
fn removed(slettedato: &str) -> pb::MirrorRegister {
    pb::MirrorRegister {
        snapshot: Some(pb::RegisterSnapshot {
            orgnr: ORGNR.into(),
            slettedato: slettedato.into(),
            fjernet: true,
            origin: snapshot().origin,
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn a_unit_that_is_removed_is_deleted_on_that_ground_once() {
    let (state, told) = organisation(mirrored())
        .when(removed("2026-02-20"))
        .then_names(&["OrganisationDeleted"]);
    assert!(state.removed && state.status == Status::Deleted && state.grasrot == Grasrot::Ended);
    let Event::OrganisationDeleted(event) = &told[0] else {
        panic!("another event")
    };
    assert_eq!(
        (event.ground.as_str(), event.slettedato.as_str()),
        ("fjernet", "2026-02-20")
    );
    organisation([mirrored(), told].concat()).when(removed("")).then(&[]);
}

#[test]
fn a_deleted_unit_can_be_removed_afterwards_and_an_unknown_one_not() {
    let deleted: Event = pb::OrganisationDeleted {
        slettedato: "2026-02-01".into(),
        ..Default::default()
    }
    .into();
    let (state, _) = organisation([mirrored(), vec![deleted]].concat())
        .when(removed(""))
        .then_names(&["OrganisationDeleted"]);
    assert!(state.removed);
    organisation(vec![])
        .when(removed("2026-02-20"))
        .then_refused("R-0.99", "WrongState");
}
