//! What each legal form that is founded here asks for (handbook section 4, "per legal form").

use ryggrad_decider::{Nature, Refusal, Rule, Text, rules};
use ryggrad_norway::LegalForm;
use ryggrad_proto::registration::v1::BylawsChecklist;

use crate::input::{Read, refuse};

/// What the table of legal forms says beyond the numbered rules. It rests on the project's own knowledge: check before relying on it.
pub static FORM: Rule = Rule {
    id: "R-2.99",
    text: "each legal form is founded and registered in its own way: founders, capital, registers, auditor",
    term: "organisasjonsform",
    nature: Nature::Practice,
    sources: &["OK"],
};

/// What bylaws cover is law for those that are in Frivillighetsregisteret, and how associations do it for everybody else.
pub(crate) static BYLAWS: Rule = Rule {
    id: "R-2.05",
    text: "bylaws cover name, purpose, annual meeting, board and its election, amendment, termination",
    term: "vedtekter",
    nature: Nature::Practice,
    sources: &["W8"],
};

/// That a surplus goes back to the purpose is needed for money and for Frivillighetsregisteret, and is no condition of founding
/// by law.
pub(crate) static SURPLUS: Rule = Rule {
    id: "R-2.06",
    text: "bylaws say that a surplus, also at the end, goes back to the purpose",
    term: "vedtekter",
    nature: Nature::Practice,
    sources: &["W26", "W25"],
};

/// A legal form that is founded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Association (forening/lag/innretning): the main case.
    Fli,
    /// Foundation (stiftelse).
    Sti,
    /// Cooperative (samvirkeforetak).
    Sa,
    /// Limited company (aksjeselskap).
    As,
}

impl Form {
    /// The form of a code; none for a form that is not founded here.
    pub fn of(form: LegalForm) -> Option<Self> {
        match form.code() {
            "FLI" => Some(Self::Fli),
            "STI" => Some(Self::Sti),
            "SA" => Some(Self::Sa),
            "AS" => Some(Self::As),
            _ => None,
        }
    }

    /// The official code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fli => "FLI",
            Self::Sti => "STI",
            Self::Sa => "SA",
            Self::As => "AS",
        }
    }

    /// How many founders it takes at least (R-2.01 for an association).
    pub const fn founders(self) -> usize {
        match self {
            Self::Fli | Self::Sa => 2,
            Self::Sti | Self::As => 1,
        }
    }

    /// How many of so many founders have to sign the founding document.
    pub const fn signatures(self, founders: usize) -> usize {
        match self {
            Self::Fli => 2,
            Self::Sti | Self::Sa | Self::As => founders,
        }
    }

    /// The capital in kroner that it takes; none for forms without capital.
    pub const fn capital(self, business: bool) -> Option<i64> {
        match self {
            Self::Sti => Some(if business { 200_000 } else { 100_000 }),
            Self::As => Some(30_000),
            Self::Fli | Self::Sa => None,
        }
    }

    /// Whether an auditor is a must.
    pub const fn needs_auditor(self) -> bool {
        matches!(self, Self::Sti)
    }

    /// The rule that what bylaws of this form cover rests on: the handbook knows what those of an association cover, the rest
    /// is from the table of forms.
    pub(crate) const fn bylaws_rule(self) -> &'static Rule {
        match self {
            Self::Fli => &BYLAWS,
            Self::Sti | Self::Sa | Self::As => &FORM,
        }
    }

    /// What bylaws of this form cover when it is founded and these do not, by field of the checklist.
    pub fn uncovered(self, list: &BylawsChecklist) -> Vec<&'static str> {
        let of_all = [
            (list.name, "name"),
            (list.purpose, "purpose"),
            (list.board_and_election, "board_and_election"),
        ];
        let of_most = [(list.amendment, "amendment"), (list.termination, "termination")];
        let of_associations = [(list.annual_meeting, "annual_meeting")];
        let wanted: &[&[(bool, &'static str)]] = match self {
            Self::Fli => &[&of_all, &of_most, &of_associations],
            Self::Sti => &[&of_all, &of_most],
            Self::Sa | Self::As => &[&of_all],
        };
        wanted
            .iter()
            .flat_map(|items| items.iter())
            .filter(|(covered, _)| !covered)
            .map(|(_, item)| *item)
            .collect()
    }

    /// Whether nobody owns it and what is left goes back to the purpose.
    pub const fn owns_itself(self) -> bool {
        matches!(self, Self::Fli | Self::Sti)
    }
}

/// An amount of kroner is never less than nothing.
pub(crate) fn not_negative(field: &'static str, kroner: Option<i64>) -> Read<()> {
    if kroner.is_none_or(|kroner| kroner >= 0) {
        return Ok(());
    }
    let refusal = refuse(
        &rules::INPUT,
        "InvalidField",
        "Beløpet kan ikke være under null. Rett det.",
        "Beløpet kan ikkje vere under null. Rett det.",
        "the amount cannot be less than nothing: correct it",
    );
    Err(refusal.at(field))
}

/// Whether the capital is what a form takes.
pub(crate) fn enough_capital(field: &'static str, form: Option<Form>, business: bool, kroner: Option<i64>) -> Read<()> {
    not_negative(field, kroner)?;
    let Some((form, needed)) = form.and_then(|form| Some((form, form.capital(business)?))) else {
        return Ok(());
    };
    if kroner.unwrap_or(0) >= needed {
        return Ok(());
    }
    let refusal = Refusal::new(
        &FORM,
        "CapitalTooSmall",
        Text::formatted(
            format!("Kapitalen må være minst {needed} kroner. Sett av mer, eller velg en annen form."),
            format!("Kapitalen må vere minst {needed} kroner. Set av meir, eller vel ei anna form."),
            format!("the capital must be at least NOK {needed}: set more aside, or choose another form"),
        ),
    );
    Err(refusal.at(field).with("min", needed).with("form", form.code()))
}

/// A form that is not founded here: a sub-unit or a group has no founding of its own.
pub(crate) fn not_founded(field: &'static str, form: LegalForm) -> Refusal {
    let refusal = if form.is_sub_unit() {
        refuse(
            &FORM,
            "SubUnitNotFounded",
            "En gruppe eller underenhet stiftes ikke. Styret eller årsmøtet bestemmer; vil dere ha eget organisasjonsnummer, må dere stifte en egen forening.",
            "Ei gruppe eller undereining blir ikkje stifta. Styret eller årsmøtet avgjer; vil de ha eige organisasjonsnummer, må de stifte ei eiga foreining.",
            "a group or sub-unit is not founded: the board or the annual meeting decides; for a number of its own, found an association of its own",
        )
    } else {
        refuse(
            &FORM,
            "FormNotFounded",
            "Velg FLI (forening), STI (stiftelse), SA (samvirkeforetak) eller AS (aksjeselskap).",
            "Vel FLI (foreining), STI (stifting), SA (samvirkeføretak) eller AS (aksjeselskap).",
            "choose FLI (association), STI (foundation), SA (cooperative) or AS (company)",
        )
    };
    refusal.at(field).with("form", form.code())
}
