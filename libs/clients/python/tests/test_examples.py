"""The examples by themselves; against a real stack they are tested with the whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from stop_payouts import Payout, Table

from ryggrad import Cursor, Event
from ryggrad.contracts.common.v1.common_pb2 import Envelope
from ryggrad.contracts.registration.v1.organisation_pb2 import GrasrotExclusionImposed

if TYPE_CHECKING:
    from pathlib import Path

CLUB = "310000019"


def fact(position: int, name: str, data: bytes = b"") -> Event:
    return Event(Envelope(position=position, type=f"no.ryggrad.registration.{name}.v1", orgnr=CLUB, data=data))


def test_payouts_stop_and_go_on_as_the_facts_say() -> None:
    table = Table()
    today = date(2026, 11, 26)
    seen = []
    for position, name in enumerate(
        ["DissolutionReported", "GrasrotParticipationApproved", "DissolutionRevoked", "VoluntaryRegistrationDeleted"], 1
    ):
        table.apply(fact(position, name))
        seen.append(table.payouts[CLUB].is_open(today))
    assert seen == [False, False, True, False]
    assert table.payouts[CLUB].reasons == {"left Frivillighetsregisteret": 4}


def test_an_exclusion_ends_with_its_last_day() -> None:
    table = Table(payouts={CLUB: Payout(approved=True)})
    exclusion = GrasrotExclusionImposed(orgnr=CLUB, fra_dato="2026-01-01", til_dato="2026-12-31")
    table.apply(fact(9, "GrasrotExclusionImposed", exclusion.SerializeToString()))
    assert not table.payouts[CLUB].is_open(date(2026, 12, 31))
    assert table.payouts[CLUB].is_open(date(2027, 1, 1))


def test_a_club_that_is_approved_again_is_not_excluded_any_more() -> None:
    table = Table(payouts={CLUB: Payout(approved=True)})
    exclusion = GrasrotExclusionImposed(orgnr=CLUB, fra_dato="2026-01-01")
    table.apply(fact(9, "GrasrotExclusionImposed", exclusion.SerializeToString()))
    table.apply(fact(10, "GrasrotParticipationEnded"))
    assert not table.payouts[CLUB].is_open(date(2030, 1, 1))
    table.apply(fact(11, "GrasrotParticipationApproved"))
    assert table.payouts[CLUB] == Payout(approved=True)


def test_the_table_is_stored_with_its_position(tmp_path: Path) -> None:
    path = tmp_path / "payouts.json"
    table = Table(Cursor(9, "e"), {CLUB: Payout(approved=True, reasons={"deleted": 9})})
    table.save(path)
    assert Table.load(path) == table
