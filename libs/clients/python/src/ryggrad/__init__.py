"""Follow the facts of Norwegian voluntary organisations, in order, from any position.

    from ryggrad import Client, FileCheckpoint, Filter

    with Client("http://127.0.0.1:8080") as client:
        for event in client.subscribe(Filter(types=["OrganisationRegistered"]), checkpoint=FileCheckpoint("here.json")):
            print(event.position, event.name, event.orgnr)

A subscription reconnects by itself and goes on after the last event that came. Messages of the contracts are in
`ryggrad.contracts`, for example `ryggrad.contracts.registration.v1.organisation_pb2.OrganisationDeleted`.
"""

from ryggrad._checkpoint import Checkpoint, Cursor, FileCheckpoint, MemoryCheckpoint, ServerCheckpoint
from ryggrad._client import Client, Head, Page
from ryggrad._errors import (
    CheckpointError,
    EpochChanged,
    OutOfOrder,
    Refused,
    RyggradError,
    Silent,
    Superseded,
)
from ryggrad._event import Event
from ryggrad._filter import Filter, Start
from ryggrad._subscription import CaughtUp, Heartbeat, Message, Subscription

__all__ = [
    "CaughtUp",
    "Checkpoint",
    "CheckpointError",
    "Client",
    "Cursor",
    "EpochChanged",
    "Event",
    "FileCheckpoint",
    "Filter",
    "Head",
    "Heartbeat",
    "MemoryCheckpoint",
    "Message",
    "OutOfOrder",
    "Page",
    "Refused",
    "RyggradError",
    "ServerCheckpoint",
    "Silent",
    "Start",
    "Subscription",
    "Superseded",
]
