"""What can go wrong, and what the server says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

_DETAILS = "grpc-status-details-bin"


class RyggradError(Exception):
    """Whatever this package raises."""


class EpochChanged(RyggradError):
    """The log is another one than the cursor is of: it was restored, and positions may have been given twice.

    Nothing goes on by itself: whoever follows decides what to do with what it had from the old log.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"the cursor is of the log {expected} and the log is {got}: it was restored")
        self.expected = expected
        self.got = got


class OutOfOrder(RyggradError):
    """A position came that could not come. Never seen with a healthy server; do not go on."""

    def __init__(self, after: int, got: int) -> None:
        super().__init__(f"position {got} came after {after}")
        self.after = after
        self.got = got


class Silent(RyggradError):
    """Nothing was heard of the server for three heartbeats."""


class Superseded(RyggradError):
    """Another consumer of the same durable subscription has taken over; the newest is served."""


class CheckpointError(RyggradError):
    """A checkpoint cannot be read or written."""


@dataclass(frozen=True)
class _Details:
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None


class Refused(RyggradError):
    """The server said no.

    `code` is gRPC's, `reason` the machine-readable one (CURSOR_BEYOND_HEAD), `metadata` what belongs to it, `fields`
    what is wrong with which field, `texts` what to do by language (nb, nn, en), `retry_after` the seconds until it
    makes sense to come back, when the server told.
    """

    def __init__(self, code: grpc.StatusCode, message: str, details: _Details | None = None) -> None:
        super().__init__(f"{message} ({code.name})")
        details = details or _Details()
        self.code = code
        self.message = message
        self.reason = details.reason
        self.metadata = details.metadata
        self.fields = details.fields
        self.texts = details.texts
        self.retry_after = details.retry_after


def from_rpc(error: grpc.RpcError, epoch: str = "") -> RyggradError:
    """The error of a call in our own words; `epoch` is the one that the call was made with."""
    if not isinstance(error, grpc.Call):
        return Refused(grpc.StatusCode.UNKNOWN, str(error))
    details = _details(error)
    if details.reason == "OTHER_EPOCH":
        return EpochChanged(epoch, details.metadata.get("epoch", ""))
    return Refused(error.code(), error.details() or "", details)


def _details(call: grpc.Call) -> _Details:
    packed = dict(call.trailing_metadata() or ()).get(_DETAILS)
    if not isinstance(packed, bytes):
        return _Details()
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    texts = {}
    retry_after = None
    for detail in status_pb2.Status.FromString(packed).details:
        text = error_details_pb2.LocalizedMessage()
        if detail.Unpack(text):
            texts[text.locale] = text.message
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        elif not detail.Unpack(info):
            detail.Unpack(bad)
    fields = {violation.field: violation.description for violation in bad.field_violations}
    return _Details(info.reason, dict(info.metadata), fields, texts, retry_after)
