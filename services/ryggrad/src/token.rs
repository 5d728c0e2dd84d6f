//! `ryggrad token`: a token of the development issuer, to ask as somebody.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use ryggrad_access::{Parties, Scope, SystemUser};
use ryggrad_eventlog::clock::wall;
use ryggrad_issuer::{Grant, party, usual_scopes};
use ryggrad_norway::OrgNumber;
use serde_json::json;

use crate::exit::{Exit, NotRunning};
use crate::{issuer, print};

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad token --as lottstift                     with everything that such a party usually asks for
  ryggrad token --as kommune:4203 --scope ryggrad:events.org.read --scope ryggrad:subscriptions.write
  ryggrad token --as org:310028843                 an organisation itself
  ryggrad token --as platform:2 --for 310028843 --system-user 1b0e…      a platform's system, as its customer's system user
  curl -H \"authorization: Bearer $(ryggrad token --as brreg)\" http://127.0.0.1:8080/v1/…
  ryggrad token --as lottstift --claims            what it says";

/// Print a token.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who asks: a stakeholder (lottstift, brreg, platform:2), kommune:NUMBER, or org:NUMBER of an organisation.
    #[arg(long, value_name = "PARTY")]
    r#as: String,
    /// What it may, once or several times; what such a party usually asks for when it is not given.
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    scope: Vec<Scope>,
    /// The customer whose system user it acts as.
    #[arg(long = "for", value_name = "ORGNR", requires = "system_user")]
    customer: Option<OrgNumber>,
    /// Id of the customer's system user.
    #[arg(long, value_name = "ID", requires = "customer")]
    system_user: Option<String>,
    /// The processor that acts for it under a delegation.
    #[arg(long, value_name = "PARTY")]
    supplier: Option<String>,
    /// For whom the token is; unspecified when it is not given.
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// How long it is good for: 10m, 1h.
    #[arg(long, default_value = "1h", value_name = "SPAN", value_parser = lifetime)]
    ttl: Duration,
    /// State folder of the backbone that `ryggrad up` runs.
    #[arg(long, env = "RYGGRAD_STATE", default_value = ".ryggrad", value_name = "DIR")]
    state: PathBuf,
    /// Print the answer as a token endpoint gives it.
    #[arg(long, conflicts_with = "claims")]
    json: bool,
    /// Print what the token says instead.
    #[arg(long)]
    claims: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let issuer = issuer::running(&args.state)?.ok_or_else(|| NotRunning {
        place: format!("{} with a development issuer", args.state.display()),
    })?;
    let parties = Parties::development();
    let (consumer, stakeholder) = party(&args.r#as, &parties).context("--as")?;
    let supplier = args.supplier.as_deref().map(|name| party(name, &parties));
    let system_user = args.system_user.clone().zip(args.customer);
    let grant = Grant {
        consumer,
        scopes: if args.scope.is_empty() {
            usual_scopes(stakeholder)
        } else {
            args.scope.clone()
        },
        supplier: supplier.transpose().context("--supplier")?.map(|(number, _)| number),
        system_user: system_user.map(|(id, organisation)| SystemUser { id, organisation }),
        audience: args.audience.clone(),
        lifetime: args.ttl,
    };
    let claims = issuer.claims(&grant, wall())?;
    if args.claims {
        print::line(serde_json::to_string_pretty(&claims)?);
        return Ok(Exit::Done);
    }
    let token = issuer.sign(&claims)?;
    if args.json {
        print::json(&json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": args.ttl.as_secs(),
            "scope": claims["scope"],
        }))?;
    } else {
        print::line(token);
    }
    Ok(Exit::Done)
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        let names: Vec<_> = Scope::all().map(Scope::name).collect();
        format!("there are {}", names.join(", "))
    })
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| "say 10m or 1h".to_owned())?;
    let span = Duration::try_from(span).map_err(|_| "it cannot end before it begins".to_owned())?;
    if span.as_secs() == 0 {
        return Err("at least a second".to_owned());
    }
    Ok(span)
}
