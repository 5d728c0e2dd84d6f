//! Which organisation has which number, as the log has it when the import begins.

use futures::TryStreamExt as _;
use sqlx::PgPool;
use uuid::Uuid;

/// Numbers and their organisations, by number: 20 bytes each.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<(u32, Uuid)>);

// === impl Numbers ===

impl Numbers {
    /// Reads every number that was given out, whoever told us: the register, or the authority's answer to a case of ours.
    pub(super) async fn load(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let sql = "select orgnr, aggregate_id from log.events
            where context = 'registration' and name = 'OrganisationRegistered' and orgnr is not null";
        let mut rows = sqlx::query_as::<_, (String, Uuid)>(sql).fetch(pool);
        let mut numbers = Vec::new();
        while let Some((orgnr, id)) = rows.try_next().await? {
            numbers.extend(orgnr.parse().ok().map(|orgnr: u32| (orgnr, id)));
        }
        numbers.sort_unstable();
        numbers.dedup_by_key(|(orgnr, _)| *orgnr);
        numbers.shrink_to_fit();
        Ok(Self(numbers))
    }

    /// The organisation with this number.
    pub(super) fn organisation(&self, orgnr: u32) -> Option<Uuid> {
        let at = self.0.binary_search_by_key(&orgnr, |(known, _)| *known).ok()?;
        Some(self.0[at].1)
    }
}
