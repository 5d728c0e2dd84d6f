//! The deadlines of a case: T-2.2, T-2.3 and T-2.4 with what they rest on, and those that the authority sets.

use jiff::{Span, Timestamp};
use ryggrad_decider::Timer;
use ryggrad_decider::timers::{T_2_2, T_2_3, T_2_4};
use ryggrad_norway::time::oslo;
use ryggrad_proto::views::v1::{CaseDeadline, RegisterCase};

/// Still to come.
const SCHEDULED: &str = "scheduled";
/// What it asked for was done.
const MET: &str = "met";
/// It was not.
const MISSED: &str = "missed";
/// It no longer matters.
const CANCELLED: &str = "cancelled";

/// Everybody was asked to sign: three reminders, and the day on which the case lapses.
pub(super) fn signatures(case: &mut RegisterCase, asked_at: Timestamp, due_at: Option<ryggrad_proto::Timestamp>) {
    for span in T_2_2.spans() {
        set(case, &T_2_2, Some(after(asked_at, span).into()));
    }
    set(case, &T_2_3, due_at);
}

/// Signatures fell: what was waited for is waited for again.
pub(super) fn signatures_again(case: &mut RegisterCase) {
    // Those of an earlier request stay cancelled: only the last request counts.
    let last = T_2_2.spans().len() + 1;
    let of_signing = |deadline: &&mut CaseDeadline| deadline.timer == T_2_2.id || deadline.timer == T_2_3.id;
    for deadline in case.deadlines.iter_mut().rev().filter(of_signing).take(last) {
        let is_sent = deadline.timer == T_2_2.id && deadline.state == MET;
        if !is_sent {
            SCHEDULED.clone_into(&mut deadline.state);
        }
    }
}

/// Everybody has signed.
pub(super) fn signatures_complete(case: &mut RegisterCase) {
    end(case, &T_2_3, MET);
    end(case, &T_2_2, CANCELLED);
}

/// A reminder was sent: the first, second or third.
pub(super) fn reminded(case: &mut RegisterCase, reminder: u32) {
    let reminders = T_2_2.spans().len();
    let before = case
        .deadlines
        .iter()
        .filter(|deadline| deadline.timer == T_2_2.id)
        .count()
        .saturating_sub(reminders);
    let nth = before + usize::try_from(reminder).unwrap_or(usize::MAX).saturating_sub(1);
    if let Some(deadline) = case
        .deadlines
        .iter_mut()
        .filter(|deadline| deadline.timer == T_2_2.id)
        .nth(nth)
    {
        MET.clone_into(&mut deadline.state);
    }
}

/// Not everybody signed in time.
pub(super) fn lapsed(case: &mut RegisterCase) {
    end(case, &T_2_3, MISSED);
    cancel_all(case);
}

/// The authority waits for an answer. Its letter sets the day, case by case.
pub(super) fn answer(case: &mut RegisterCase, due_at: Option<ryggrad_proto::Timestamp>) {
    end_all(case, "", CANCELLED);
    if due_at.is_some() {
        case.deadlines.push(CaseDeadline {
            timer: String::new(),
            what: "Answer to the register authority".to_owned(),
            nature: "practice".to_owned(),
            due_at,
            state: SCHEDULED.to_owned(),
        });
    }
}

/// The authority has its answer.
pub(super) fn answered(case: &mut RegisterCase) {
    end_all(case, "", MET);
}

/// A refusal may be appealed.
pub(super) fn appeal(case: &mut RegisterCase, due_at: Option<ryggrad_proto::Timestamp>) {
    set(case, &T_2_4, due_at);
}

/// It was.
pub(super) fn appealed(case: &mut RegisterCase) {
    end(case, &T_2_4, MET);
}

/// It was not, and can no longer be.
pub(super) fn appeal_ended(case: &mut RegisterCase) {
    end(case, &T_2_4, MISSED);
}

/// Nothing is waited for any more.
pub(super) fn cancel_all(case: &mut RegisterCase) {
    case.deadlines
        .iter_mut()
        .filter(|deadline| deadline.state == SCHEDULED)
        .for_each(|deadline| CANCELLED.clone_into(&mut deadline.state));
}

fn set(case: &mut RegisterCase, timer: &Timer, due_at: Option<ryggrad_proto::Timestamp>) {
    case.deadlines.push(CaseDeadline {
        timer: timer.id.to_owned(),
        what: timer.what.to_owned(),
        nature: timer.nature.as_str().to_owned(),
        due_at,
        state: SCHEDULED.to_owned(),
    });
}

fn end(case: &mut RegisterCase, timer: &Timer, state: &str) {
    end_all(case, timer.id, state);
}

fn end_all(case: &mut RegisterCase, timer: &str, state: &str) {
    let waiting = |deadline: &&mut CaseDeadline| deadline.timer == timer && deadline.state == SCHEDULED;
    case.deadlines
        .iter_mut()
        .filter(waiting)
        .for_each(|deadline| state.clone_into(&mut deadline.state));
}

/// An instant so much later by the clocks of Norway (handbook 2.6).
fn after(instant: Timestamp, span: Span) -> Timestamp {
    instant
        .to_zoned(oslo().clone())
        .checked_add(span)
        .map_or(instant, |later| later.timestamp())
}
