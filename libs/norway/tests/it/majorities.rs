//! Majorities are exact for every count of votes.

use proptest::prelude::*;
use ryggrad_norway::{Basis, Majority, Share, Threshold};

fn at_least(num: u32, den: u32) -> Majority {
    Majority {
        threshold: Threshold::AtLeast(Share::try_new(num, den).unwrap()),
        basis: Basis::VotesCast,
    }
}

#[test]
fn half_the_votes_are_not_more_than_half() {
    assert!(!Majority::ORDINARY.passes(50, 100));
    assert!(Majority::ORDINARY.passes(51, 100));
    assert!(Majority::ORDINARY.passes(50, 99));
}

#[test]
fn two_thirds_are_reached_exactly() {
    assert!(Majority::TWO_THIRDS.passes(2, 3));
    assert!(Majority::TWO_THIRDS.passes(66, 99));
    assert!(!Majority::TWO_THIRDS.passes(66, 100));
    assert!(Majority::TWO_THIRDS.passes(67, 100));
}

#[test]
fn nobodys_votes_pass_nothing() {
    assert!(!Majority::ORDINARY.passes(0, 0));
    assert!(!Majority::TWO_THIRDS.passes(0, 0));
    assert!(!Majority::ORDINARY.passes(3, 2));
}

#[test]
fn the_largest_counts_do_not_overflow() {
    assert!(at_least(u32::MAX, u32::MAX).passes(u64::MAX, u64::MAX));
    assert!(!at_least(u32::MAX, u32::MAX).passes(u64::MAX - 1, u64::MAX));
}

#[test]
fn a_share_is_more_than_nothing_and_at_most_the_whole() {
    for text in ["0/3", "4/3", "0/0", "2", "2/x", "-1/3", ""] {
        assert!(Share::parse(text).is_err(), "{text}");
    }
    assert_eq!(Share::parse("2/3").unwrap().to_string(), "2/3");
}

proptest! {
    #[test]
    fn one_more_vote_in_favour_never_loses(num in 1..50_u32, extra in 0..50_u32, cast in 1..5000_u64, votes in 0..5000_u64) {
        let majority = at_least(num, num + extra);
        prop_assume!(votes < cast);
        prop_assert!(!majority.passes(votes, cast) || majority.passes(votes + 1, cast));
        prop_assert!(majority.passes(cast, cast));
    }
}
