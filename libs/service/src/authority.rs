//! Who may do what: whose command it is, and what a caller may see. Asked by every service about every request.

use jiff::civil::Date;
use ryggrad_access::{Gate, Identity, Key, Registry, Scope, Stakeholder, Verdict, View};
use ryggrad_eventlog::{Clock, Request};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::CommandPayload;
use ryggrad_proto::command::Party;
use ryggrad_proto::common::v1::Actor;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::request::uuid;
use crate::{ApiError, caller};

mod sent;

/// Decides who may send a command and who may ask a view, by the caller's token and the log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authority {
    pool: PgPool,
    registry: Registry,
    clock: Clock,
}

/// To whom an aggregate belongs.
struct Belonging {
    /// The organisation's number, once it has one.
    orgnr: Option<String>,
    /// As which organisation it was begun, when a token proved that: the customer, when a system user began it.
    begun_by: Option<String>,
}

/// The latest event of the aggregate says which organisation it is about; that organisation may have a number. What a
/// reaction began was begun by who gave rise to it.
const BELONGING: &str = "select coalesce( \
        case when f.actor->>'authenticated' = 'true' \
             then coalesce(nullif(f.actor->>'actingFor', ''), f.actor->>'ref') end, \
        (select coalesce(nullif(c.actor->>'actingFor', ''), c.actor->>'ref') from log.events c \
          where c.position = f.causation_position and c.actor->>'authenticated' = 'true')) as begun_by, \
    coalesce((select r.orgnr from log.events r \
               where r.aggregate_id = l.organisation_id and r.name = 'OrganisationRegistered' limit 1), \
             l.orgnr) as orgnr \
    from log.events f \
    cross join lateral (select e.organisation_id, e.orgnr from log.events e where e.aggregate_id = f.aggregate_id \
                        order by e.sequence desc limit 1) l \
    where f.aggregate_id = $1 and f.sequence = 1";

// === impl Authority ===

impl Authority {
    /// An authority over the log in this database, whose role may read it.
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self {
            registry: Registry::new(pool.clone()),
            pool,
            clock,
        }
    }

    /// What the log says about callers.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The day that it is in Norway, by the business clock.
    pub fn today(&self) -> Date {
        ryggrad_norway::time::day(self.clock.now())
    }

    /// What the caller of the request that is being answered may see now.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn gate(&self) -> Result<Gate, ApiError> {
        let gate = self.registry.gate(&caller(), self.today()).await;
        gate.map_err(|error| ApiError::unreadable(&error))
    }

    /// Lets a command through when the caller may send it, as the actor that the token proves; also one that it may not send
    /// any more, when it is known to have sent it while it might.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] without a token, [`ApiError::Denied`] when the token lacks a scope, or the command is
    /// somebody else's.
    pub async fn admit<C: CommandPayload>(&self, mut request: Request<C>) -> Result<Request<C>, ApiError> {
        let caller = caller();
        let identity = caller.identity().ok_or_else(ApiError::token_missing)?;
        let scope = Scope::parse(request.command.scope()).unwrap_or(Scope::AdminWrite);
        if !identity.scopes.has(scope) {
            return Err(ApiError::scope_missing(scope));
        }
        let actor = match self.actor_of(identity, &request).await {
            Err(denied @ ApiError::Denied { .. }) => self.sent_before(identity, &request).await?.ok_or(denied)?,
            judged => judged?,
        };
        request.command.meta_mut().actor = Some(actor.clone());
        request.actor = actor;
        Ok(request)
    }

    /// As whom the caller sends a command, by what is so today.
    async fn actor_of<C: CommandPayload>(&self, identity: &Identity, request: &Request<C>) -> Result<Actor, ApiError> {
        match request.command.party() {
            Party::Nobody => Err(denied(
                "NOT_FOR_SENDING",
                "nobody outside the service sends this command",
            )),
            Party::Authority => authority(identity),
            Party::Anybody => {
                self.builds_on_its_own(identity, request).await?;
                Ok(by_itself(identity))
            }
            Party::Organisation(field, number) => {
                let number = OrgNumber::parse(number).map_err(|error| ApiError::invalid(field, error.to_string()))?;
                self.for_organisation(identity, number.as_str(), request).await
            }
            Party::Owner => self.as_owner(identity, request).await,
        }
    }

    /// The one to whom the aggregate, and everything that the command builds on, belongs.
    async fn as_owner<C: CommandPayload>(&self, identity: &Identity, request: &Request<C>) -> Result<Actor, ApiError> {
        let first = self.builds_on_its_own(identity, request).await?;
        let (actor, orgnr) = match self.belonging(request.aggregate_id).await? {
            Some(belonging) => (self.standing(identity, &belonging, request).await?, belonging.orgnr),
            None => first.unwrap_or_else(|| (by_itself(identity), None)),
        };
        match (request.command.orgnr(), orgnr) {
            // What is no number is the domain's to refuse.
            (Some((_, said)), _) if OrgNumber::parse(said).is_err() => Ok(actor),
            (Some((_, said)), None) => self.for_organisation(identity, said, request).await,
            (Some((field, said)), Some(orgnr)) if said != orgnr => Err(denied(
                "OTHER_ORGANISATION",
                &format!("{field}: {said} is not the number of the organisation that this is about"),
            )),
            (Some(_) | None, _) => Ok(actor),
        }
    }

    /// Checks the aggregates that a command names beside its own; answers as whom the caller may build on the first, and the number
    /// that it leads to.
    async fn builds_on_its_own<C: CommandPayload>(
        &self,
        identity: &Identity,
        request: &Request<C>,
    ) -> Result<Option<(Actor, Option<String>)>, ApiError> {
        let mut first = None;
        for (field, id) in request.command.references() {
            // What does not exist is the domain's to refuse.
            if let Some(id) = uuid(field, id)?
                && let Some(belonging) = self.belonging(id).await?
            {
                let actor = self.standing(identity, &belonging, request).await?;
                first.get_or_insert((actor, belonging.orgnr));
            }
        }
        Ok(first)
    }

    async fn standing<C: CommandPayload>(
        &self,
        identity: &Identity,
        belonging: &Belonging,
        request: &Request<C>,
    ) -> Result<Actor, ApiError> {
        match belonging {
            Belonging { orgnr: Some(orgnr), .. } => self.for_organisation(identity, orgnr, request).await,
            Belonging {
                begun_by: Some(begun_by),
                ..
            } if begun_by == identity.acts_as().as_str() => Ok(by_itself(identity)),
            Belonging { .. } => Err(denied(
                "NOT_YOURS",
                "it was begun by somebody else, and has no organisation number that a mandate could be for",
            )),
        }
    }

    /// As whom the caller may act for an organisation: as itself, as its system user, or under a mandate.
    async fn for_organisation<C: CommandPayload>(
        &self,
        identity: &Identity,
        orgnr: &str,
        request: &Request<C>,
    ) -> Result<Actor, ApiError> {
        let platform = |mandate: &str| Actor {
            kind: "platform".to_owned(),
            acting_for: orgnr.to_owned(),
            mandate: mandate.to_owned(),
            ..by_itself(identity)
        };
        if let Some(user) = &identity.system_user {
            return if user.organisation.as_str() == orgnr {
                Ok(platform(&user.id))
            } else {
                Err(not_for(orgnr))
            };
        }
        if identity.consumer.as_str() == orgnr {
            return Ok(by_itself(identity));
        }
        let Some(mandate_id) = uuid("meta.actor.mandate", &request.actor.mandate)? else {
            return Err(not_for(orgnr));
        };
        let mandate = self.registry.mandate(mandate_id).await;
        let mandate = mandate.map_err(|error| ApiError::unreadable(&error))?.ok_or_else(|| {
            denied(
                "NO_MANDATE",
                "meta.actor.mandate: there is no such mandate, or it was taken back",
            )
        })?;
        if mandate.from_orgnr != orgnr || mandate.to_orgnr != identity.consumer.as_str() {
            return Err(not_for(orgnr));
        }
        let over = |until: &str| until.parse::<Date>().is_ok_and(|until| until < self.today());
        if mandate.until.as_deref().is_some_and(over) {
            return Err(denied("MANDATE_OVER", "meta.actor.mandate: its last day has passed"));
        }
        let name = request.command.name();
        if !mandate.commands.is_empty() && !mandate.commands.iter().any(|covered| covered == name) {
            return Err(denied("NOT_IN_MANDATE", &format!("the mandate does not cover {name}")));
        }
        Ok(platform(&mandate_id.to_string()))
    }

    async fn belonging(&self, aggregate: Uuid) -> Result<Option<Belonging>, ApiError> {
        let row = sqlx::query(BELONGING).bind(aggregate).fetch_optional(&self.pool).await;
        let row = row.map_err(|error| ApiError::unreadable(&error))?;
        row.map(|row| {
            Ok(Belonging {
                orgnr: row.try_get("orgnr")?,
                begun_by: row.try_get("begun_by")?,
            })
        })
        .transpose()
        .map_err(|error: sqlx::Error| ApiError::unreadable(&error))
    }
}

/// The caller as itself, or as its customer's system user.
fn by_itself(identity: &Identity) -> Actor {
    let known = |is: Stakeholder| identity.stakeholders().any(|stakeholder| stakeholder == is);
    let customer = identity.system_user.as_ref();
    let kind = if known(Stakeholder::Platform) || customer.is_some() {
        "platform"
    } else if identity.parties.is_empty() {
        "organisation"
    } else {
        "authority"
    };
    Actor {
        kind: kind.to_owned(),
        r#ref: identity.consumer.as_str().to_owned(),
        authenticated: true,
        supplier: identity
            .supplier
            .map(|supplier| supplier.as_str().to_owned())
            .unwrap_or_default(),
        acting_for: customer
            .map(|user| user.organisation.as_str().to_owned())
            .unwrap_or_default(),
        mandate: customer.map(|user| user.id.clone()).unwrap_or_default(),
    }
}

/// The register authority, deciding.
fn authority(identity: &Identity) -> Result<Actor, ApiError> {
    if identity.party(Stakeholder::Brreg).is_none() {
        return Err(denied("NOT_THE_AUTHORITY", "only the register authority decides this"));
    }
    Ok(by_itself(identity))
}

fn denied(reason: &'static str, message: &str) -> ApiError {
    ApiError::Denied {
        reason,
        message: message.to_owned(),
    }
}

fn not_for(orgnr: &str) -> ApiError {
    denied(
        "NO_MANDATE",
        &format!("the token is not of {orgnr}, and meta.actor.mandate names no mandate from it"),
    )
}

/// Whether a gate lets a caller ask a view about something, with what it rests on for the access log.
///
/// # Errors
/// Why not, in the words of the edge.
pub fn ask<'a>(gate: &'a Gate, view: View, about: &Key) -> Result<Verdict<'a>, ApiError> {
    let verdict = gate.view(view, about);
    if verdict.allows() {
        Ok(verdict)
    } else {
        Err(refused(view, verdict))
    }
}

/// A denial in the words of the edge.
pub fn refused(view: View, verdict: Verdict<'_>) -> ApiError {
    match verdict {
        Verdict::NoToken => ApiError::token_missing(),
        Verdict::NoScope(scope) => ApiError::scope_missing(scope),
        Verdict::NotCovered | Verdict::Open | Verdict::Own | Verdict::Mandated | Verdict::Approved(_) => denied(
            "NOT_COVERED",
            &format!(
                "{} is for the organisation itself, those with a mandate from it, and those with an approved subscription that covers it",
                view.name()
            ),
        ),
    }
}
