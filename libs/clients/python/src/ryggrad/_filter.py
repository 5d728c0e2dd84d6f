"""Which events are wanted, and from where on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ryggrad._checkpoint import Cursor
from ryggrad.contracts.events.v1 import event_stream_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which events are wanted. Values of one field are alternatives; fields are all required. Empty: every event."""

    types: Sequence[str] = ()
    """Event names (OrganisationRegistered) or CloudEvents types."""
    contexts: Sequence[str] = ()
    """Contexts, for example registration."""
    organisations: Sequence[str] = ()
    """Organisations, each by UUID or organisation number."""
    kommunenummer: Sequence[str] = ()
    """Municipality numbers (four digits) or county numbers (two digits)."""
    classes: Sequence[str] = ()
    """Privacy classes: PUBLIC, ORG, PERS, CONF."""
    aggregate_types: Sequence[str] = ()
    """Aggregate types, for example RegistrationCase."""

    def message(self) -> pb.EventFilter:
        """The filter as the contracts have it."""
        return pb.EventFilter(
            types=self.types,
            contexts=self.contexts,
            organisations=self.organisations,
            kommunenummer=self.kommunenummer,
            classes=[f"PRIVACY_CLASS_{name.upper()}" for name in self.classes],
            aggregate_types=self.aggregate_types,
        )


@dataclass(frozen=True)
class Start:
    """Where a subscription begins: at the beginning of the log unless told otherwise."""

    request: pb.SubscribeRequest = field(default_factory=pb.SubscribeRequest)

    @classmethod
    def beginning(cls) -> Self:
        """With the first event there is."""
        return cls()

    @classmethod
    def now(cls) -> Self:
        """With the next event that is recorded."""
        return cls(pb.SubscribeRequest(from_now=True))

    @classmethod
    def after(cls, cursor: Cursor | int) -> Self:
        """After the last event already had, by its cursor or position."""
        if isinstance(cursor, int):
            cursor = Cursor(cursor)
        return cls(pb.SubscribeRequest(after=cursor.position, epoch=cursor.epoch))

    @classmethod
    def after_event(cls, event_id: str) -> Self:
        """After the last event already had, by its UUID."""
        return cls(pb.SubscribeRequest(after_event_id=event_id))

    @classmethod
    def at(cls, instant: datetime) -> Self:
        """With the first event that was recorded at this instant or later; the instant has a time zone."""
        if instant.tzinfo is None:
            raise ValueError("an instant has a time zone")
        request = pb.SubscribeRequest()
        request.from_time.FromDatetime(instant)
        return cls(request)
