//! Who may hold which role, and what a reported board has to be.

use std::collections::BTreeSet;

use ryggrad_decider::{Refusal, Text, rules};
use ryggrad_norway::{OrgNumber, Role};
use ryggrad_proto::registration::v1::RoleHolder;
use ryggrad_proto::registration::v1::role_holder::Holder;

use crate::form::Form;
use crate::input::{self, refuse};

/// More roles than any organisation reports.
const MOST: usize = 100;

/// What a list of roles has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A board, as a founding meeting elects it.
    Board,
    /// A board and somebody who answers for the organisation: one of KONT, DAGL, FFØR.
    BoardAndContact {
        /// How many deputies were elected.
        deputies: u32,
    },
}

/// Reads a list of roles, every reference in its one spelling; `form` is none for a form that is not founded here.
pub(crate) fn read(
    field: &'static str,
    holders: &[RoleHolder],
    form: Option<Form>,
    wanted: Wanted,
) -> Result<Vec<RoleHolder>, Refusal> {
    input::count(field, holders.len(), 1, MOST)?;
    let mut board = Board::default();
    let mut contact = false;
    let mut read = Vec::with_capacity(holders.len());
    for holder in holders {
        let role: Role = input::coded("roles.role_code", &holder.role_code)?;
        let who = who(holder, role)?;
        let from = input_date("roles.from_date", holder.from_date.as_deref())?;
        let to = input_date("roles.to_date", holder.to_date.as_deref())?;
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            return Err(ends_before_it_begins());
        }
        let in_board = role.group().is_some_and(|group| group.code() == "STYR");
        if in_board && form == Some(Form::Fli) && !role.is_board_of_association() {
            return Err(internal_role(role));
        }
        if in_board {
            board.add(role, &who)?;
        }
        contact |= role.is_contact();
        read.push(RoleHolder {
            role_code: role.code().to_owned(),
            holder: Some(who),
            from_date: from.map(|day| day.to_string()),
            to_date: to.map(|day| day.to_string()),
        });
    }
    if board.chairs != 1 {
        return Err(one_chair(board.chairs));
    }
    if board.members == 0 && form != Some(Form::As) {
        return Err(no_member());
    }
    match wanted {
        Wanted::BoardAndContact { .. } if !contact => Err(no_contact()),
        Wanted::BoardAndContact { deputies } if board.deputies < deputies => {
            Err(deputies_missing(deputies - board.deputies))
        }
        Wanted::Board | Wanted::BoardAndContact { .. } => Ok(read),
    }
}

/// Whether auditor and accountant are those that a notification names, with numbers that may be empty. Only who is named there can
/// confirm the assignment, so nobody else is reported in such a role.
pub(crate) fn named(roles: &[RoleHolder], auditor: &str, accountant: &str) -> Result<(), Refusal> {
    for holder in roles {
        let role: Role = input::coded("roles.role_code", &holder.role_code)?;
        let named = if role.code() == "REVI" { auditor } else { accountant };
        let is_named = matches!(&holder.holder, Some(Holder::Orgnr(orgnr)) if orgnr == named);
        if role.needs_confirmation() && !is_named {
            return Err(not_named(role));
        }
    }
    Ok(())
}

/// The board so far.
#[derive(Debug, Default)]
struct Board {
    chairs: u32,
    members: u32,
    deputies: u32,
    persons: BTreeSet<String>,
}

impl Board {
    fn add(&mut self, role: Role, who: &Holder) -> Result<(), Refusal> {
        match role.code() {
            "LEDE" => self.chairs += 1,
            "VARA" => self.deputies += 1,
            "OBS" => return Ok(()),
            _ => self.members += 1,
        }
        match who {
            Holder::PersonRef(person) if !self.persons.insert(person.clone()) => Err(twice_on_the_board()),
            Holder::PersonRef(_) | Holder::Orgnr(_) => Ok(()),
        }
    }
}

/// Who is in a role: a person, or an organisation where one may be.
fn who(holder: &RoleHolder, role: Role) -> Result<Holder, Refusal> {
    match &holder.holder {
        None => Err(input::missing("roles.person_ref")),
        Some(Holder::PersonRef(person)) => Ok(Holder::PersonRef(input::id("roles.person_ref", person)?.to_string())),
        Some(Holder::Orgnr(orgnr)) => {
            let orgnr: OrgNumber = input::coded("roles.orgnr", orgnr)?;
            match role.code() {
                "REVI" | "REGN" | "FFØR" => Ok(Holder::Orgnr(orgnr.to_string())),
                _ => Err(not_for_organisations(role)),
            }
        }
    }
}

fn input_date(field: &'static str, value: Option<&str>) -> Result<Option<jiff::civil::Date>, Refusal> {
    value
        .filter(|day| !day.is_empty())
        .map(|day| input::date(field, day))
        .transpose()
}

fn ends_before_it_begins() -> Refusal {
    refuse(
        &rules::INPUT,
        "InvalidField",
        "Rollen slutter før den begynner. Rett datoene.",
        "Rolla sluttar før ho byrjar. Rett datoane.",
        "the role ends before it begins: correct the dates",
    )
    .at("roles.to_date")
}

fn internal_role(role: Role) -> Refusal {
    refuse(
        &rules::R_2_08,
        "RoleNotRegistered",
        "For foreninger registreres bare LEDE, MEDL og VARA. Meld nestleder, kasserer, sekretær og andre verv som MEDL.",
        "For foreiningar blir berre LEDE, MEDL og VARA registrerte. Meld nestleiar, kasserar, sekretær og andre verv som MEDL.",
        "for associations only LEDE, MEDL and VARA are registered: report deputy chair, treasurer, secretary and other offices as MEDL",
    )
    .at("roles.role_code")
    .with("role", role.code())
}

fn one_chair(found: u32) -> Refusal {
    refuse(
        &rules::R_2_08,
        "ChairMissing",
        "Styret må ha nøyaktig én leder (LEDE). Meld hvem det er.",
        "Styret må ha nøyaktig éin leiar (LEDE). Meld kven det er.",
        "the board has exactly one chair (LEDE): report who it is",
    )
    .at("roles")
    .with("n", found)
}

fn no_member() -> Refusal {
    refuse(
        &rules::R_2_08,
        "BoardMemberMissing",
        "Styret må ha leder og minst ett medlem (MEDL). Meld hele styret.",
        "Styret må ha leiar og minst éin medlem (MEDL). Meld heile styret.",
        "the board has a chair and at least one member (MEDL): report the whole board",
    )
    .at("roles")
}

fn no_contact() -> Refusal {
    refuse(
        &rules::R_2_07,
        "ContactMissing",
        "Meld en kontaktperson (KONT), daglig leder (DAGL) eller forretningsfører (FFØR).",
        "Meld ein kontaktperson (KONT), dagleg leiar (DAGL) eller forretningsførar (FFØR).",
        "report a contact person (KONT), general manager (DAGL) or business manager (FFØR)",
    )
    .at("roles")
}

fn deputies_missing(n: u32) -> Refusal {
    Refusal::new(
        &rules::R_2_08,
        "DeputiesMissing",
        Text::formatted(
            format!("Varamedlemmer skal alltid meldes. {n} mangler; legg dem til som VARA."),
            format!("Varamedlemer skal alltid meldast. {n} manglar; legg dei til som VARA."),
            format!("deputies are always reported: {n} are missing, add them as VARA"),
        ),
    )
    .at("roles")
    .with("n", n)
}

fn twice_on_the_board() -> Refusal {
    refuse(
        &rules::R_2_08,
        "TwiceOnTheBoard",
        "Samme person står to ganger i styret. La hver person ha én rolle i styret.",
        "Same person står to gonger i styret. Lat kvar person ha éi rolle i styret.",
        "the same person is on the board twice: let each person have one role there",
    )
    .at("roles")
}

fn not_for_organisations(role: Role) -> Refusal {
    refuse(
        &rules::R_2_08,
        "RoleNeedsPerson",
        "Denne rollen må en person ha. Oppgi person_ref.",
        "Denne rolla må ein person ha. Oppgi person_ref.",
        "only a person can have this role: give person_ref",
    )
    .at("roles.orgnr")
    .with("role", role.code())
}

fn not_named(role: Role) -> Refusal {
    refuse(
        &rules::R_2_11,
        "AuditorNotNamed",
        "Revisor og regnskapsfører bekrefter oppdraget i en registermelding. Oppgi organisasjonsnummeret i meldingens content.revisor_orgnr eller content.regnskapsfoerer_orgnr, og la rollen ha samme nummer.",
        "Revisor og rekneskapsførar stadfestar oppdraget i ei registermelding. Oppgi organisasjonsnummeret i content.revisor_orgnr eller content.regnskapsfoerer_orgnr i meldinga, og lat rolla ha same nummeret.",
        "auditor and accountant confirm the assignment in a notification: name the organisation number in its content.revisor_orgnr or content.regnskapsfoerer_orgnr, and let the role have the same number",
    )
    .at("roles.orgnr")
    .with("role", role.code())
}

#[cfg(test)]
mod tests;
