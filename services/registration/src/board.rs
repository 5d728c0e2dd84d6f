//! How large a board is, by the bylaws (R-2.08, handbook 2.7).
//!
//! What the bylaws say binds the organisation, and a board of another size is refused. Where they say nothing there is a default that
//! is shown as one: it never stops anybody (ADR 0021).

use ryggrad_decider::{Nature, Refusal, Rule, Text, rules};
use ryggrad_proto::registration::v1::{BoardSize, RoleHolder};

use crate::input::{self, Read};

/// What boards are like where the bylaws do not say. It rests on the project's own knowledge: advice, and never a ground to refuse.
pub(crate) const DEFAULT: std::ops::RangeInclusive<u32> = 3..=9;

/// The size of the board is the association's own law.
pub(crate) static SIZE: Rule = Rule {
    id: "R-2.08",
    text: rules::R_2_08.text,
    term: "vedtekter",
    nature: Nature::Bylaws,
    sources: rules::R_2_08.sources,
};

/// More than this is a mistake.
const MOST: u32 = 255;

/// What the bylaws say about the size of the board, when they say anything.
pub(crate) fn read(field: &'static str, size: Option<&BoardSize>) -> Read<Option<BoardSize>> {
    let Some(size) = size.copied().filter(|size| *size != BoardSize::default()) else {
        return Ok(None);
    };
    for number in [size.board_min, size.board_max].into_iter().flatten() {
        input::within(field, number, 1, MOST)?;
    }
    if let BoardSize {
        board_min: Some(min),
        board_max: Some(max),
    } = size
        && max < min
    {
        return Err(input::refuse(
            &rules::INPUT,
            "InvalidField",
            "Styret kan ikke ha færre medlemmer på det meste enn på det minste. Rett tallene.",
            "Styret kan ikkje ha færre medlemer på det meste enn på det minste. Rett tala.",
            "the most cannot be fewer than the fewest: correct the numbers",
        )
        .at(field));
    }
    Ok(Some(size))
}

/// How many are on the board: chair and members, without deputies and observers.
pub(crate) fn count(roles: &[RoleHolder]) -> u32 {
    let of_board = roles.iter().filter(|holder| {
        let role = holder.role_code.parse::<ryggrad_norway::Role>().ok();
        let group = role.and_then(ryggrad_norway::Role::group);
        group.is_some_and(|group| group.code() == "STYR") && !matches!(holder.role_code.as_str(), "VARA" | "OBS")
    });
    u32::try_from(of_board.count()).unwrap_or(u32::MAX)
}

/// Whether a board is of the size that the bylaws say.
pub(crate) fn fits(field: &'static str, roles: &[RoleHolder], size: Option<&BoardSize>) -> Read<()> {
    of_size(field, count(roles), size)
}

/// Whether so many are of the size that the bylaws say.
pub(crate) fn of_size(field: &'static str, found: u32, size: Option<&BoardSize>) -> Read<()> {
    let size = size.copied().unwrap_or_default();
    match (size.board_min, size.board_max) {
        (Some(min), _) if found < min => Err(refused(field, found, min, "fewest")),
        (_, Some(max)) if found > max => Err(refused(field, found, max, "most")),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

fn refused(field: &'static str, found: u32, limit: u32, which: &'static str) -> Refusal {
    let (nb, nn, en) = if which == "fewest" {
        ("minst", "minst", "at least")
    } else {
        ("høyst", "høgst", "at most")
    };
    Refusal::new(
        &SIZE,
        "BoardSizeNotAsBylaws",
        Text::formatted(
            format!("Etter vedtektene har styret {nb} {limit} medlemmer med leder, men her er {found}. Rett styret eller tallet."),
            format!("Etter vedtektene har styret {nn} {limit} medlemer med leiar, men her er {found}. Rett styret eller talet."),
            format!("by the bylaws the board has {en} {limit} with its chair, but here are {found}: correct the board or the number"),
        ),
    )
    .at(field)
    .with("n", found)
    .with(if which == "fewest" { "board_min" } else { "board_max" }, limit)
}

/// The size with the default where the bylaws do not say, and whether any of it is the default.
pub(crate) fn advised(size: Option<&BoardSize>) -> (BoardSize, bool) {
    let said = size.copied().unwrap_or_default();
    let advised = BoardSize {
        board_min: Some(said.board_min.unwrap_or(*DEFAULT.start())),
        board_max: Some(said.board_max.unwrap_or(*DEFAULT.end())),
    };
    (advised, said.board_min.is_none() || said.board_max.is_none())
}
