"""One event as it was received."""

from __future__ import annotations

import base64
import functools
import importlib
import pkgutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

import ryggrad.contracts

if TYPE_CHECKING:
    import builtins

    from google.protobuf.timestamp_pb2 import Timestamp

    from ryggrad.contracts.common.v1.common_pb2 import Envelope

M = TypeVar("M", bound=Message)

# no.ryggrad.<context>.<name>.v1
_WORDS = 5


@dataclass(frozen=True)
class Event:
    """One event: its envelope, and its payload still in the bytes that were published first."""

    envelope: Envelope

    @property
    def position(self) -> int:
        """Position in the log: 1, 2, 3, …; the cursor."""
        return self.envelope.position

    @property
    def id(self) -> str:
        """UUID of the event."""
        return self.envelope.event_id

    @property
    def type(self) -> str:
        """CloudEvents type, for example no.ryggrad.registration.OrganisationRegistered.v1."""
        return self.envelope.type

    @property
    def context(self) -> str:
        """Context that it belongs to, for example registration."""
        return self._kind[0]

    @property
    def name(self) -> str:
        """Name of its message, for example OrganisationRegistered."""
        return self._kind[1]

    @property
    def organisation_id(self) -> str:
        """UUID of the organisation, or of the initiative or founding that may become one."""
        return self.envelope.organisation_id

    @property
    def orgnr(self) -> str:
        """Organisation number; empty when the organisation has none yet."""
        return self.envelope.orgnr

    @property
    def kommunenummer(self) -> str:
        """Municipality number; empty when it is not known."""
        return self.envelope.kommunenummer

    @property
    def occurred_at(self) -> datetime:
        """When it happened, by the business clock."""
        return _instant(self.envelope.occurred_at)

    @property
    def recorded_at(self) -> datetime:
        """When it was written, by the wall clock."""
        return _instant(self.envelope.recorded_at)

    def message(self) -> Message | None:
        """The payload as the message of the contracts that its type says; None for a type of a later version.

        Raises google.protobuf.message.DecodeError when the bytes are not that message.
        """
        known = _message_class(*self._kind)
        return known.FromString(self.envelope.data) if known else None

    def decode(self, kind: builtins.type[M]) -> M | None:
        """The payload when it is of this kind of message; None when the event is another.

        Raises google.protobuf.message.DecodeError when the bytes are not that message.
        """
        if kind is not _message_class(*self._kind):
            return None
        message = kind()
        message.ParseFromString(self.envelope.data)
        return message

    def json(self) -> dict[str, Any] | None:
        """Canonical JSON of the payload; None for a type of a later version."""
        message = self.message()
        return None if message is None else json_format.MessageToDict(message)

    def as_json(self) -> dict[str, Any]:
        """The envelope in canonical JSON; the payload as `payload` in place of its bytes when its type is known."""
        whole = json_format.MessageToDict(self.envelope)
        payload = self.json()
        if payload is None:
            whole["data"] = base64.b64encode(self.envelope.data).decode()
        else:
            whole.pop("data", None)
            whole["payload"] = payload
        return whole

    @property
    def _kind(self) -> tuple[str, str]:
        words = self.envelope.type.split(".")
        return (words[2], words[3]) if len(words) == _WORDS else ("", "")


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


@functools.cache
def _message_class(context: str, name: str) -> type[Message] | None:
    _load_contracts()
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(f"ryggrad.{context}.v1.{name}")
    except KeyError:
        return None
    return message_factory.GetMessageClass(descriptor)


@functools.cache
def _load_contracts() -> None:
    """Makes every message of the contracts known."""
    for module in pkgutil.walk_packages(ryggrad.contracts.__path__, "ryggrad.contracts."):
        if module.name.endswith("_pb2"):
            importlib.import_module(module.name)
