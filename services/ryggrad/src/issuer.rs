//! The development issuer: its key in the state folder, and tokens from it for the tools. `ryggrad serve` has none.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_access::Parties;
use ryggrad_client::Bearer;
use ryggrad_eventlog::clock::wall;
use ryggrad_issuer::{Grant, Issuer, Key, party, usual_scopes};
use ryggrad_local::{Endpoints, StateFolder};

/// The name under which `endpoints.json` has the issuer.
pub(crate) const ISSUER: &str = "issuer";
/// The name under which the state folder keeps its key.
const KEY: &str = "issuer.pem";

/// The issuer of a backbone that starts at an address. Its key is made at the first start.
///
/// # Errors
/// When the key cannot be made, written or read.
pub fn serve(state: &StateFolder, address: &str) -> anyhow::Result<Issuer> {
    let text = if let Some(text) = StateFolder::read_secret(state.path(), KEY)? {
        text
    } else {
        let made = Key::make().and_then(|key| key.to_pem());
        let made = made.context("no key for the development issuer")?;
        state.secret_by(KEY, || made)?
    };
    Ok(Issuer::new(address, read(&text)?))
}

/// The issuer of the backbone that runs in a state folder; none when nothing runs there, or it trusts another issuer.
///
/// # Errors
/// When the key cannot be read.
pub fn running(state: &Path) -> anyhow::Result<Option<Issuer>> {
    let Some(name) = Endpoints::read(state)
        .ok()
        .and_then(|endpoints| endpoints.others.get(ISSUER).cloned())
    else {
        return Ok(None);
    };
    let text = StateFolder::read_secret(state, KEY)?;
    let key = text.as_deref().map(read).transpose()?;
    Ok(key.map(|key| Issuer::new(&name, key)))
}

/// Tokens for a party with its usual scopes, each used for half of its time.
///
/// # Errors
/// When nobody is called that.
pub fn bearer(issuer: Issuer, name: &str) -> anyhow::Result<Bearer> {
    let (consumer, stakeholder) = party(name, &Parties::development())?;
    let grant = Grant {
        lifetime: Duration::from_mins(10),
        ..Grant::new(consumer, usual_scopes(stakeholder))
    };
    let held = Mutex::new((None, Timestamp::MIN));
    Ok(Bearer::from_fn(move || {
        let now = wall();
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.1 <= now {
            let renewed = issuer.token(&grant, now).ok();
            *held = (renewed, now.saturating_add(grant.lifetime / 2).unwrap_or(now));
        }
        held.0.clone()
    }))
}

fn read(text: &str) -> anyhow::Result<Key> {
    Key::from_pem(text).context("the development issuer's key cannot be read")
}
