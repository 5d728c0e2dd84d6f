//! The list of parties: which organisation number is which stakeholder.

use std::collections::HashMap;
use std::sync::Arc;

use ryggrad_norway::{KommuneNumber, OrgNumber};

use crate::matrix::Stakeholder;

/// One organisation as a stakeholder. An organisation may be several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Organisation number.
    pub orgnr: OrgNumber,
    /// What it is in the matrix.
    pub stakeholder: Stakeholder,
    /// Its municipality, for those whose reach is one.
    pub kommune: Option<KommuneNumber>,
    /// What it is called.
    pub name: String,
}

/// Which organisation number is which stakeholder. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Parties(Arc<HashMap<OrgNumber, Vec<Party>>>);

/// A list of parties that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PartyError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

// === impl Parties ===

impl Parties {
    /// The made-up parties of a development backbone: every authority, every municipality, a few others.
    ///
    /// Their numbers are synthetic, from the end of the series (39 900 000 and up), which nobody else draws from.
    pub fn development() -> Self {
        Self::parse(include_str!("../data/development_parties.csv")).expect("a test reads the bundled list")
    }

    /// Reads `orgnr,stakeholder,kommunenummer,name`, with that line as its head. The name is the rest of its line.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, PartyError> {
        let mut parties: HashMap<OrgNumber, Vec<Party>> = HashMap::new();
        let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let wrong = |line, problem: String| PartyError { line, problem };
        match lines.next() {
            Some(("orgnr,stakeholder,kommunenummer,name", _)) => {}
            other => {
                let line = other.map_or(1, |(_, line)| line);
                return Err(wrong(
                    line,
                    "the head is not orgnr,stakeholder,kommunenummer,name".to_owned(),
                ));
            }
        }
        for (row, line) in lines {
            let party = Party::parse(row).map_err(|problem| wrong(line, problem))?;
            parties.entry(party.orgnr).or_default().push(party);
        }
        Ok(Self(Arc::new(parties)))
    }

    /// What an organisation is known as; nothing for those on no list.
    pub fn of(&self, orgnr: OrgNumber) -> &[Party] {
        self.0.get(&orgnr).map_or(&[], Vec::as_slice)
    }

    /// The parties that are this stakeholder, by number.
    pub fn who_is(&self, stakeholder: Stakeholder) -> Vec<&Party> {
        let all = self.0.values().flatten();
        let mut found: Vec<_> = all.filter(|party| party.stakeholder == stakeholder).collect();
        found.sort_by_key(|party| party.orgnr);
        found
    }
}

// === impl Party ===

impl Party {
    fn parse(row: &str) -> Result<Self, String> {
        let mut cells = row.splitn(4, ',').map(str::trim);
        let mut cell = |name: &str| cells.next().ok_or_else(|| format!("{name} is missing"));
        let orgnr = OrgNumber::parse(cell("orgnr")?).map_err(|error| format!("orgnr: {error}"))?;
        let code = cell("stakeholder")?;
        let stakeholder = Stakeholder::parse(code).ok_or_else(|| format!("stakeholder: there is no {code:?}"))?;
        let kommune = match cell("kommunenummer")? {
            "" => None,
            number => Some(KommuneNumber::parse(number).map_err(|error| format!("kommunenummer: {error}"))?),
        };
        let name = cell("name")?.to_owned();
        Ok(Self {
            orgnr,
            stakeholder,
            kommune,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_list_has_every_authority_and_every_municipality() {
        let parties = Parties::development();
        let kommuner = parties.who_is(Stakeholder::Kommune);
        assert_eq!(kommuner.len(), KommuneNumber::all().count());
        assert!(
            kommuner
                .iter()
                .all(|party| party.kommune.is_some() && party.orgnr.is_synthetic())
        );
        for stakeholder in [Stakeholder::Brreg, Stakeholder::Lottstift, Stakeholder::Norsktipping] {
            assert_eq!(parties.who_is(stakeholder).len(), 1, "{}", stakeholder.code());
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let head = "orgnr,stakeholder,kommunenummer,name\n";
        for (row, said) in [
            ("123,BRREG,,x", "line 2: orgnr"),
            ("310000018,BRREG,,x", "line 2: orgnr"),
            ("290000019,NOBODY,,x", "line 2: "),
            ("290000019,BRREG,9999,x", "line 2: "),
        ] {
            let error = Parties::parse(&format!("{head}{row}\n")).expect_err(row).to_string();
            assert!(error.starts_with(said), "{error}");
        }
        assert!(Parties::parse("orgnr\n").is_err());
    }
}
