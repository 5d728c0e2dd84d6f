//! What a subscription says to its commands.

use ryggrad_access::{Filter, Grant, Stakeholder, View};
use ryggrad_decider::{Context, Refusal, input};
use ryggrad_norway::time;
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::ecosystem::v1::subscription_event::Event;
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::options::v1::PrivacyClass;

use super::{State, refusals};

/// Longest purpose or reason.
const PROSE: usize = 500;

pub(super) fn subscribe(state: &State, c: &pb::Subscribe, context: &Context) -> Result<Vec<Event>, Refusal> {
    if state.approved().is_some() {
        return Err(refusals::exists_already());
    }
    let stakeholder = Stakeholder::parse(&c.stakeholder).ok_or_else(|| refusals::no_stakeholder(&c.stakeholder))?;
    let grant = stakeholder.grant();
    if !grant.can_subscribe() {
        return Err(refusals::nothing_to_subscribe_to(grant));
    }
    let legal_basis = grant
        .legal_basis(&c.legal_basis)
        .ok_or_else(|| refusals::no_legal_basis(grant))?;
    let views = views(grant, &c.views)?;
    let filter = filter(stakeholder, c.filter.as_ref(), &views)?;
    let until = c.until.as_deref().filter(|until| !until.is_empty());
    let until = until.map(|until| input::date("until", until)).transpose()?;
    if until.is_some_and(|until| until < time::day(context.now)) {
        return Err(refusals::over_already());
    }
    let purpose = input::text("purpose", &c.purpose, PROSE)?;
    let approved = pb::SubscriptionApproved {
        subscription_id: context.aggregate_id.to_string(),
        subscriber: context.actor.r#ref.clone(),
        stakeholder: grant.code.to_owned(),
        legal_basis: legal_basis.to_owned(),
        gdpr_basis: grant.gdpr_basis.to_owned(),
        views: views.into_iter().map(|view| view.name().to_owned()).collect(),
        fields: grant
            .needs_to_know
            .split(',')
            .map(|need| need.trim().to_owned())
            .collect(),
        filter,
        until: until.map(|until| until.to_string()),
        first_position: c.after.saturating_add(1),
        purpose,
    };
    Ok(vec![approved.into()])
}

/// The views asked for, each of which the matrix has for the stakeholder.
fn views(grant: &Grant, asked: &[String]) -> Result<Vec<View>, Refusal> {
    input::count("views", asked.len(), 0, 20)?;
    let mut views = Vec::new();
    for name in asked {
        let view = View::parse(name)
            .filter(|view| view.is_open() || grant.views.contains(view))
            .ok_or_else(|| refusals::view_not_for(grant, name))?;
        if !views.contains(&view) {
            views.push(view);
        }
    }
    Ok(views)
}

/// The filter, when all its values exist, every type in it can reach the stakeholder, and it can bind the views that are asked
/// for with it.
fn filter(
    stakeholder: Stakeholder,
    asked: Option<&EventFilter>,
    views: &[View],
) -> Result<Option<EventFilter>, Refusal> {
    let parsed = Filter::parse(asked).map_err(refusals::filter)?;
    if let Some(view) = views.iter().find(|view| view.has_rows())
        && let Some(field) = parsed.asks_of_events().next()
    {
        return Err(refusals::not_of_rows(field, view.name()));
    }
    for name in asked.iter().flat_map(|filter| &filter.types) {
        let mut named = ryggrad_proto::catalogue()
            .iter()
            .filter(|event| event.name == *name || event.ce_type == *name);
        let reaches = named.any(|event| {
            event.class == PrivacyClass::Public
                || (stakeholder.grant().allows(event.class)
                    && event.views.iter().any(|code| code == stakeholder.code()))
        });
        if !reaches {
            return Err(refusals::type_not_for(stakeholder.grant(), name));
        }
    }
    Ok(asked.cloned())
}

pub(super) fn unsubscribe(state: &State, c: &pb::Unsubscribe) -> Result<Vec<Event>, Refusal> {
    let approved = state.approved().ok_or_else(refusals::not_there)?;
    let reason = input::text("reason", &c.reason, PROSE)?;
    if state.ended().is_some() {
        return Ok(Vec::new());
    }
    let ended = pb::SubscriptionEnded {
        subscription_id: approved.subscription_id.clone(),
        subscriber: approved.subscriber.clone(),
        reason,
    };
    Ok(vec![ended.into()])
}
