//! What the log says about a caller: its organisations, mandates, affiliates and approved subscriptions.
//!
//! Everything is asked of the log when it is needed, by index. Nothing is kept, so a subscription or a mandate has its effect
//! on the next question, and its end too.

use std::collections::HashSet;

use jiff::civil::Date;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::ecosystem::v1::{MandateGranted, SubscriptionApproved};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::caller::{Caller, Identity};
use crate::filter::Filter;
use crate::gate::{Approval, Gate, Holdings};
use crate::matrix::{Reach, Stakeholder, View};

/// The log, asked about callers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry {
    pool: PgPool,
}

const IDS: &str = "select organisation_id from log.events where name = 'OrganisationRegistered' and orgnr = any($1)";
const BEGUN: &str = "select organisation_id from log.events where (sequence = 1 or name = 'OrganisationFounded') and orgnr is null \
    and actor->>'authenticated' = 'true' and coalesce(nullif(actor->>'actingFor', ''), actor->>'ref') = $1";
const MANDATES: &str = "select e.payload from log.events e where e.name = 'MandateGranted' and e.payload->>'toOrgnr' = $1 \
    and not exists (select from log.events r where r.aggregate_id = e.aggregate_id and r.name = 'MandateRevoked')";
const MANDATE: &str = "select e.payload from log.events e where e.name = 'MandateGranted' and e.aggregate_id = $1 \
    and not exists (select from log.events r where r.aggregate_id = e.aggregate_id and r.name = 'MandateRevoked')";
const AFFILIATES: &str = "select orgnr from log.events where name = 'AffiliationEstablished' \
    and payload->>'parentOrgnr' = $1 and orgnr is not null";
const APPROVALS: &str = "select e.payload from log.events e where e.name = 'SubscriptionApproved' and e.payload->>'subscriber' = $1 \
    and not exists (select from log.events r where r.aggregate_id = e.aggregate_id and r.name = 'SubscriptionEnded') \
    order by e.position";

// === impl Registry ===

impl Registry {
    /// A registry of the log in this database, whose role may read it.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What a caller may see on a day (business time, in Norway).
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn gate(&self, caller: &Caller, today: Date) -> Result<Gate, sqlx::Error> {
        let Some(identity) = caller.identity() else {
            return Ok(Gate::open());
        };
        let own = self.holdings(HashSet::from([identity.acts_as()])).await?;
        let mandated = self.holdings(self.mandated(identity, today).await?).await?;
        let begun = sqlx::query_scalar(BEGUN)
            .bind(identity.acts_as().as_str())
            .fetch_all(&self.pool)
            .await?;
        let approvals = self.approvals(identity, &mandated, today).await?;
        Ok(Gate::new(
            caller.clone(),
            own,
            mandated,
            begun.into_iter().collect(),
            approvals,
        ))
    }

    /// A mandate that was given and not taken back, whatever its last day.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn mandate(&self, id: Uuid) -> Result<Option<MandateGranted>, sqlx::Error> {
        let row = sqlx::query(MANDATE).bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The organisations that are registered with a number: one, or none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn organisation(&self, number: OrgNumber) -> Result<Option<Uuid>, sqlx::Error> {
        let numbers = vec![number.as_str().to_owned()];
        sqlx::query_scalar(IDS).bind(numbers).fetch_optional(&self.pool).await
    }

    /// Organisations with these numbers: by number, and by the ids that they had before.
    async fn holdings(&self, numbers: HashSet<OrgNumber>) -> Result<Holdings, sqlx::Error> {
        if numbers.is_empty() {
            return Ok(Holdings::default());
        }
        let texts: Vec<String> = numbers.iter().map(|number| number.as_str().to_owned()).collect();
        let ids: Vec<Uuid> = sqlx::query_scalar(IDS).bind(texts).fetch_all(&self.pool).await?;
        Ok(Holdings {
            numbers: numbers.into_iter().map(OrgNumber::to_u32).collect(),
            ids: ids.into_iter().collect(),
        })
    }

    /// Who has given the caller a mandate that is in force.
    async fn mandated(&self, identity: &Identity, today: Date) -> Result<HashSet<OrgNumber>, sqlx::Error> {
        let rows = sqlx::query(MANDATES)
            .bind(identity.consumer.as_str())
            .fetch_all(&self.pool)
            .await?;
        let mut numbers = HashSet::new();
        for row in rows {
            let granted: MandateGranted = read(&row)?;
            if in_force(granted.until.as_deref(), today)
                && let Ok(number) = OrgNumber::parse(&granted.from_orgnr)
            {
                numbers.insert(number);
            }
        }
        Ok(numbers)
    }

    async fn approvals(
        &self,
        identity: &Identity,
        mandated: &Holdings,
        today: Date,
    ) -> Result<Vec<Approval>, sqlx::Error> {
        let rows = sqlx::query(APPROVALS)
            .bind(identity.consumer.as_str())
            .fetch_all(&self.pool)
            .await?;
        let mut approvals = Vec::new();
        for row in rows {
            let approved: SubscriptionApproved = read(&row)?;
            // A stakeholder that it is not any more opens nothing, whatever was approved once.
            let Some(stakeholder) = Stakeholder::parse(&approved.stakeholder)
                .filter(|stakeholder| identity.stakeholders().any(|is| is == *stakeholder))
            else {
                continue;
            };
            if !in_force(approved.until.as_deref(), today) {
                continue;
            }
            let within = match stakeholder.grant().reach {
                Reach::Affiliates => self.holdings(self.affiliates(identity).await?).await?,
                Reach::Mandated => mandated.clone(),
                Reach::Nowhere | Reach::Everywhere | Reach::Kommune | Reach::Own => Holdings::default(),
            };
            approvals.extend(self.approval(&approved, stakeholder, identity, within).await?);
        }
        Ok(approvals)
    }

    async fn approval(
        &self,
        approved: &SubscriptionApproved,
        stakeholder: Stakeholder,
        identity: &Identity,
        within: Holdings,
    ) -> Result<Option<Approval>, sqlx::Error> {
        // What was approved was checked then; a type or a code that this build does not know opens nothing.
        let (Ok(id), Ok(mut filter)) = (
            Uuid::try_parse(&approved.subscription_id),
            Filter::parse(approved.filter.as_ref()),
        ) else {
            return Ok(None);
        };
        self.complete(&mut filter).await?;
        let kommune = identity.party(stakeholder).and_then(|party| party.kommune);
        // The matrix has the last word, whatever was approved.
        let has = |view: &View| stakeholder.grant().views.contains(view);
        Ok(Some(Approval {
            id,
            stakeholder,
            legal_basis: approved.legal_basis.clone(),
            views: approved
                .views
                .iter()
                .filter_map(|view| View::parse(view))
                .filter(has)
                .collect(),
            first_position: approved.first_position,
            until: approved.until.as_deref().and_then(|until| until.parse().ok()),
            filter,
            types: listed_for(stakeholder).collect(),
            kommune: kommune.map_or(0, |kommune| kommune.code().parse().unwrap_or(0)),
            within,
        }))
    }

    async fn affiliates(&self, identity: &Identity) -> Result<HashSet<OrgNumber>, sqlx::Error> {
        let numbers: Vec<String> = sqlx::query_scalar(AFFILIATES)
            .bind(identity.consumer.as_str())
            .fetch_all(&self.pool)
            .await?;
        Ok(numbers
            .iter()
            .filter_map(|number| OrgNumber::parse_tolerant(number).ok())
            .collect())
    }

    /// Lets a filter by organisation number also find the organisation's events from before it had one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn complete(&self, filter: &mut Filter) -> Result<(), sqlx::Error> {
        let numbers: Vec<String> = filter.numbers().iter().map(|number| format!("{number:09}")).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = sqlx::query_scalar(IDS).bind(numbers).fetch_all(&self.pool).await?;
        filter.learn(ids);
        Ok(())
    }
}

/// The numbers of the event types that the catalogue lists for a stakeholder.
fn listed_for(stakeholder: Stakeholder) -> impl Iterator<Item = u16> {
    let code = stakeholder.code();
    ryggrad_proto::catalogue()
        .iter()
        .zip(0..)
        .filter(move |(event, _)| event.views.iter().any(|view| view == code))
        .map(|(_, number)| number)
}

fn in_force(until: Option<&str>, today: Date) -> bool {
    until.is_none_or(|until| until.parse::<Date>().is_ok_and(|until| today <= until))
}

/// The event's message from its stored JSON.
fn read<M: serde::de::DeserializeOwned>(row: &sqlx::postgres::PgRow) -> Result<M, sqlx::Error> {
    let payload: serde_json::Value = row.try_get(0)?;
    serde_json::from_value(payload).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
