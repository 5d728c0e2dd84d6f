//! What is told of the statistics, so that no number says what one to four organisations are.
//!
//! Leaving small cells out hides nothing: the total less the other cells is the cell that is missing, in another table, at
//! another level, or at another time. So every table is counted from the same secret sample. One organisation in ten is left
//! out of it, for as long as it exists, and which ones only the database's own secret knows. What is counted is scaled up, and
//! told as a multiple of five; fewer than five of the sample are not told.
//!
//! Whoever reads every table, at every level, for ever, and subtracts whatever can be subtracted, learns about the sample at the
//! most. One organisation more that is left out changes no answer, so no number of organisations can be told from the next
//! higher one, neither a small one nor any other. And as the sample has no more organisations than there are, no cell of fewer
//! than five is ever told.
//!
//! What is left: a cell is at least as large as what the sample has of it, and how much larger is a matter of chance (a
//! sample of three comes from just three organisations in two cases of three).

use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use sqlx::migrate::MigrateError;

/// No cell below this is told, and what is told is a multiple of it.
pub(crate) const THRESHOLD: u64 = 5;
/// One organisation in so many is left out.
const LEFT_OUT: u64 = 10;

/// Who knows it knows the sample. It stays in the schema of the views.
pub(crate) struct Secret(Vec<u8>);

// === impl Secret ===

impl Secret {
    /// The statement that reads it.
    pub(crate) const SQL: &'static str = "select secret from statistics_secret";

    /// As it was read.
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Makes the secret of a schema that has none yet.
    ///
    /// # Errors
    /// When the database fails or refuses.
    pub(crate) async fn install(pool: &PgPool) -> Result<(), MigrateError> {
        let mut tx = pool.begin().await?;
        // Two processes that make the same table at once would refuse one another.
        sqlx::query("select pg_advisory_xact_lock(hashtext('ryggrad statistics_secret'))")
            .execute(&mut *tx)
            .await?;
        let made = "create table if not exists statistics_secret (one boolean primary key default true check (one), secret bytea not null);
                    insert into statistics_secret (secret) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) on conflict do nothing";
        sqlx::raw_sql(made).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Whether an organisation is in the sample.
    pub(crate) fn takes(&self, organisation: &str) -> bool {
        let hash = Sha256::new()
            .chain_update(&self.0)
            .chain_update(organisation)
            .finalize();
        let (number, _) = hash
            .split_first_chunk()
            .map_or((0, &[][..]), |(first, rest)| (u64::from_be_bytes(*first), rest));
        number >= u64::MAX / LEFT_OUT
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The number of organisations that is told when the sample has so many; none when it is too few.
pub(crate) fn told(sampled: u64) -> Option<u64> {
    // Scaled up by 10 / 9 and rounded to the nearest multiple, in whole numbers.
    let scaled = 2 * LEFT_OUT * sampled;
    let step = 2 * (LEFT_OUT - 1) * THRESHOLD;
    (sampled >= THRESHOLD).then(|| (scaled + step / 2) / step * THRESHOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_a_multiple_of_five_and_never_of_fewer_than_five() {
        let numbers: Vec<_> = [0, 4, 5, 6, 7, 11, 12, 90, 900].map(told).into();
        let expected = [
            None,
            None,
            Some(5),
            Some(5),
            Some(10),
            Some(10),
            Some(15),
            Some(100),
            Some(1_000),
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn nine_in_ten_are_in_the_sample_and_another_secret_takes_others() {
        let names: Vec<_> = (0..20_000).map(|n| format!("organisation {n}")).collect();
        let [one, other] = [Secret::new(vec![1; 32]), Secret::new(vec![2; 32])];
        let share = names.iter().filter(|name| one.takes(name)).count();
        assert!((17_800..18_200).contains(&share), "{share}");
        let same = names.iter().filter(|name| one.takes(name) == other.takes(name)).count();
        assert!(
            (16_100..16_700).contains(&same),
            "{same}: 0.9² + 0.1² of 20,000 are the same by chance"
        );
    }
}
