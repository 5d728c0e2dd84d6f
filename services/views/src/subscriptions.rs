//! `subscriptions`: every subscription that was approved, and how it ended. Open to everybody (handbook 11, principle 7).

use ryggrad_eventlog::Recorded;
use ryggrad_eventlog::consumer::Poison;
use ryggrad_eventlog::projection::{Column, Kind, Projection, Value};
use ryggrad_proto::ecosystem::v1::subscription_event::Event;
use ryggrad_proto::views::v1::SubscriptionEntry;

/// The fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subscriptions;

impl Projection for Subscriptions {
    type Row = SubscriptionEntry;

    const NAME: &'static str = "subscriptions";
    const VERSION: i32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::new("subscriber", Kind::Text),
        Column::new("stakeholder", Kind::Text),
        Column::new("ended", Kind::Boolean),
        Column::new("position", Kind::Bigint).indexed(),
    ];

    fn keys(&self, event: &Recorded) -> Result<Vec<String>, Poison> {
        let is_one = &*event.context == "ecosystem" && &*event.aggregate_type == "Subscription";
        Ok(is_one.then(|| event.aggregate_id.to_string()).into_iter().collect())
    }

    fn fold(
        &self,
        _key: &str,
        row: Option<SubscriptionEntry>,
        event: &Recorded,
    ) -> Result<Option<SubscriptionEntry>, Poison> {
        Ok(match event.decode::<Event>()? {
            None => row,
            Some(Event::SubscriptionApproved(approved)) => Some(SubscriptionEntry {
                approved: Some(approved),
                ended: None,
                position: event.position,
            }),
            Some(Event::SubscriptionEnded(ended)) => row.map(|row| SubscriptionEntry {
                ended: Some(ended),
                ..row
            }),
        })
    }

    fn values(&self, _key: &str, row: &SubscriptionEntry) -> Vec<Value> {
        let text = |text: &dyn Fn(&ryggrad_proto::ecosystem::v1::SubscriptionApproved) -> String| {
            Value::Text(row.approved.as_ref().map(text))
        };
        vec![
            text(&|approved| approved.subscriber.clone()),
            text(&|approved| approved.stakeholder.clone()),
            Value::Boolean(Some(row.ended.is_some())),
            Value::Bigint(row.position.try_into().ok()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use ryggrad_proto::ecosystem::v1::{SubscriptionApproved, SubscriptionEnded};

    use super::*;
    use crate::example;

    #[test]
    fn a_subscription_stays_when_it_has_ended() {
        let approved = Event::SubscriptionApproved(SubscriptionApproved {
            subscriber: "399000203".into(),
            ..SubscriptionApproved::default()
        });
        let ended = Event::SubscriptionEnded(SubscriptionEnded {
            reason: "nytt system".into(),
            ..SubscriptionEnded::default()
        });
        let facts = [approved, ended];
        let events = facts.iter().zip(1..).map(|(event, position)| Recorded {
            context: "ecosystem".into(),
            ..example::event(position, "Subscription", example::id(5), event)
        });
        let rows = example::fold(&Subscriptions, &events.collect::<Vec<_>>());
        let row = rows.values().next().expect("one row");
        assert_eq!(row.position, 1);
        assert_eq!(
            row.ended.as_ref().map(|ended| ended.reason.as_str()),
            Some("nytt system")
        );
    }
}
