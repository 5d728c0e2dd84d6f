"""Stops Grasrotandel payouts to clubs that are dissolved, deleted or excluded.

Whoever pays out follows the facts that decide who may receive, and keeps one small table. The table and the position
in the log are one file that is replaced whole: whatever happens, and whenever this is killed, each fact has its effect
on the table exactly once.

    python stop_payouts.py --url http://127.0.0.1:8080 payouts.json
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from ryggrad import Client, Cursor, Event, Filter, Start
from ryggrad.contracts.registration.v1.organisation_pb2 import GrasrotExclusionImposed

# What opens payouts to a club, and which of the reasons against it that removes.
OPENS = {
    "GrasrotParticipationApproved": {"participation ended", "left Frivillighetsregisteret", "excluded"},
    "DissolutionRevoked": {"dissolution"},
}
# What closes them, and the reason that is given to the club.
CLOSES = {
    "DissolutionReported": "dissolution",
    "OrganisationDeleted": "deleted",
    "VoluntaryRegistrationDeleted": "left Frivillighetsregisteret",
    "GrasrotParticipationEnded": "participation ended",
    "GrasrotExclusionImposed": "excluded",
}


@dataclass
class Payout:
    """What is known about one club."""

    approved: bool = False
    reasons: dict[str, int] = field(default_factory=dict)
    """Why nothing is paid, with the position of the fact."""
    excluded_until: str = ""
    """Last day of an exclusion (ISO date)."""

    def is_open(self, today: date) -> bool:
        """Whether money may be paid out on a day."""
        over = self.excluded_until != "" and date.fromisoformat(self.excluded_until) < today
        reasons = set(self.reasons) - ({"excluded"} if over else set())
        return self.approved and not reasons


@dataclass
class Table:
    """Clubs by organisation number, and how far the log has been read."""

    cursor: Cursor = field(default_factory=Cursor)
    payouts: dict[str, Payout] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Table:
        """The table in a file; an empty one when there is none."""
        if not path.exists():
            return cls()
        stored = json.loads(path.read_text(encoding="utf-8"))
        payouts = {orgnr: Payout(**payout) for orgnr, payout in stored["payouts"].items()}
        return cls(Cursor(**stored["cursor"]), payouts)

    def save(self, path: Path) -> None:
        """Replaces the file, whole."""
        beside = path.with_name(f"{path.name}.new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def apply(self, event: Event) -> None:
        """Takes a fact in."""
        payout = self.payouts.setdefault(event.orgnr, Payout())
        if event.name == "GrasrotParticipationApproved":
            payout.approved = True
            payout.excluded_until = ""
        for reason in OPENS.get(event.name, ()):
            payout.reasons.pop(reason, None)
        if event.name in CLOSES:
            payout.reasons[CLOSES[event.name]] = event.position
        if exclusion := event.decode(GrasrotExclusionImposed):
            payout.excluded_until = exclusion.til_dato


def follow(client: Client, path: Path, *, once: bool) -> Table:
    """Keeps the table in a file up to date; with `once` only until it is."""
    table = Table.load(path)
    wanted = Filter(types=sorted({*OPENS, *CLOSES}))
    saved = time.monotonic()
    with client.subscribe(wanted, Start.after(table.cursor), stop_at_head=once) as subscription:
        for message in subscription.messages():
            if isinstance(message, Event):
                table.apply(message)
                if message.name in CLOSES:
                    print(f"{message.position} {message.orgnr} stopped: {CLOSES[message.name]}", flush=True)
            table.cursor = subscription.cursor
            # While much comes once a second, and whenever there is nothing more.
            if not isinstance(message, Event) or time.monotonic() - saved > 1:
                table.save(path)
                saved = time.monotonic()
    return table


def main() -> None:
    """Reads the arguments and follows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the table, made when it is not there")
    parser.add_argument("--url", default=os.environ.get("RYGGRAD_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token", default=os.environ.get("RYGGRAD_TOKEN"), help="for what is not open data")
    parser.add_argument("--once", action="store_true", help="end when everything recorded until now is in the table")
    arguments = parser.parse_args()
    with Client(arguments.url, token=arguments.token) as client:
        table = follow(client, arguments.file, once=arguments.once)
    today = datetime.now(UTC).date()
    count = sum(payout.is_open(today) for payout in table.payouts.values())
    print(f"{count} of {len(table.payouts)} clubs receive payouts, as of position {table.cursor.position}")


if __name__ == "__main__":
    main()
