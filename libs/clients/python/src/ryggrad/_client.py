"""A connection to the event stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import grpc

from ryggrad._checkpoint import Checkpoint, Cursor, ServerCheckpoint
from ryggrad._errors import from_rpc
from ryggrad._event import Event, _instant
from ryggrad._filter import Filter, Start
from ryggrad._subscription import ANSWER, Options, Subscription
from ryggrad.contracts.events.v1 import catalogue_pb2, event_stream_pb2_grpc
from ryggrad.contracts.events.v1 import event_stream_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from google.protobuf.message import Message

R = TypeVar("R")

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Most bytes of one frame.
_FRAME = 16 << 20
# What only reads is asked again when the server was not there for a moment.
_RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": "ryggrad.events.v1.EventStream", "method": method}
                    for method in (
                        "Read",
                        "Get",
                        "Head",
                        "Catalogue",
                        "Explain",
                        "ListDurables",
                        "Acknowledge",
                    )
                ],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
_CHANNEL = [
    ("grpc.max_receive_message_length", _FRAME),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.enable_retries", 1),
    ("grpc.service_config", _RETRIES),
]


@dataclass(frozen=True)
class Head:
    """Where the log ends."""

    cursor: Cursor
    recorded_at: datetime | None


@dataclass(frozen=True)
class Page:
    """Some events, and where to read on."""

    events: list[Event]
    next: Cursor
    """Pass it as `after` for the next page."""
    head: int
    """Position of the last event of the log."""


class Client:
    """A connection to a gateway, made again by itself when it breaks. Threads may share it.

    `url` is http://127.0.0.1:8080 or https://…. Open data needs no token; `token` is one, or a function that has the
    current one, which is called for each call: tokens end after minutes.

    Every call raises Refused when the server says no.
    """

    def __init__(
        self, url: str, *, token: str | Callable[[], str] | None = None, ca_certificates: bytes | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:8080")
        secure = parts.scheme == "https"
        if token is not None and not secure and parts.hostname not in _LOOPBACK:
            raise ValueError(f"a token is not sent to {url} unencrypted: use https")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        target = f"dns:///{host}:{parts.port or (443 if secure else 80)}"
        if secure:
            credentials = grpc.ssl_channel_credentials(root_certificates=ca_certificates)
            self.channel = grpc.secure_channel(target, credentials, options=_CHANNEL)
        else:
            self.channel = grpc.insecure_channel(target, options=_CHANNEL)
        self._token = token
        self._stub: Any = event_stream_pb2_grpc.EventStreamStub(self.channel)  # type: ignore[no-untyped-call]

    def subscribe(
        self,
        filter: Filter | None = None,  # noqa: A002 - the word of the contract
        start: Start | None = None,
        *,
        checkpoint: Checkpoint | None = None,
        durable: str = "",
        replace: bool = False,
        subscription: str = "",
        heartbeat: float = 5.0,
        stop_at_head: bool = False,
        store_every: float = 0.5,
        give_up_after: float | None = None,
    ) -> Subscription:
        """Follows the stream; nothing is asked before the first event is.

        A checkpoint that has a cursor overrides `start`; it is stored every `store_every` seconds, and before waiting.
        `durable` names a subscription whose position the server keeps; `replace` makes it anew. `subscription` is the
        UUID of an approved subscription, for what is not open data. `heartbeat` is the time in seconds after which the
        server says that it is there: 0.1 to 60. After `give_up_after` seconds without the server the last error is
        raised; never when None.
        """
        if durable and checkpoint is None:
            checkpoint = ServerCheckpoint(self, durable)
        stored = checkpoint.load() if checkpoint is not None else None
        start = Start.after(stored) if stored is not None else start or Start.beginning()
        request = pb.SubscribeRequest()
        request.CopyFrom(start.request)
        request.filter.CopyFrom((filter or Filter()).message())
        request.heartbeat_ms = round(heartbeat * 1_000)
        request.stop_at_head = stop_at_head
        request.durable = durable
        request.replace = replace
        request.subscription = subscription
        options = Options(
            heartbeat=heartbeat,
            stop_at_head=stop_at_head,
            checkpoint=checkpoint,
            store_every=store_every,
            give_up_after=give_up_after,
            renews_token=callable(self._token),
        )
        return Subscription(self._follow, request, options)

    def read(
        self,
        after: Cursor | int = 0,
        *,
        filter: Filter | None = None,  # noqa: A002 - the word of the contract
        limit: int = 100,
    ) -> Page:
        """Reads one page of events after a position: at most `limit`, 1 to 5,000."""
        begin = Start.after(after).request
        request = pb.ReadRequest(
            after=begin.after, epoch=begin.epoch, limit=limit, filter=(filter or Filter()).message()
        )
        answer = self._ask(self._stub.Read, request, begin.epoch)
        events = [Event(envelope) for envelope in answer.events]
        return Page(events, Cursor(answer.next_position, answer.epoch), answer.head)

    def head(self) -> Head:
        """Tells where the log ends."""
        answer = self._ask(self._stub.Head, pb.HeadRequest())
        recorded_at = _instant(answer.recorded_at) if answer.HasField("recorded_at") else None
        return Head(Cursor(answer.position, answer.epoch), recorded_at)

    def get(self, event: int | str) -> Event:
        """Reads one event, by its position or its UUID. One that the caller may not see is not there: NOT_FOUND."""
        request = pb.GetRequest(position=event) if isinstance(event, int) else pb.GetRequest(event_id=event)
        return Event(self._ask(self._stub.Get, request).event)

    def catalogue(self, request: catalogue_pb2.CatalogueRequest | None = None) -> catalogue_pb2.CatalogueResponse:
        """Tells which events there are: what each means, whom it may reach, its schema and an example."""
        answer: catalogue_pb2.CatalogueResponse = self._ask(
            self._stub.Catalogue, request or catalogue_pb2.CatalogueRequest()
        )
        return answer

    def explain(self, request: pb.ExplainRequest) -> pb.ExplainResponse:
        """Tells which of some events a subscription would bring, and what holds back each of the others."""
        answer: pb.ExplainResponse = self._ask(self._stub.Explain, request)
        return answer

    def acknowledge(self, durable: str, cursor: Cursor, *, rewind: bool = False) -> Cursor:
        """Tells the server that everything up to the cursor has been dealt with; where the subscription stands now."""
        request = pb.AcknowledgeRequest(durable=durable, position=cursor.position, epoch=cursor.epoch, rewind=rewind)
        answer = self._ask(self._stub.Acknowledge, request, cursor.epoch)
        return Cursor(answer.position, answer.epoch)

    def durables(self) -> list[pb.Durable]:
        """Lists the durable subscriptions of the caller's organisation."""
        return list(self._ask(self._stub.ListDurables, pb.ListDurablesRequest()).durables)

    def delete_durable(self, durable: str) -> None:
        """Forgets a durable subscription; whoever follows it is cut off."""
        self._ask(self._stub.DeleteDurable, pb.DeleteDurableRequest(durable=durable))

    def metadata(self) -> list[tuple[str, str]]:
        """What goes along with every call, for stubs of other services on `channel`."""
        if self._token is None:
            return []
        token = self._token() if callable(self._token) else self._token
        return [("authorization", f"Bearer {token}")]

    def close(self) -> None:
        """Closes the connection, and every subscription over it."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self, request: pb.SubscribeRequest) -> Any:  # noqa: ANN401 - grpc has no public type for it
        return self._stub.Subscribe(request, metadata=self.metadata())

    def _ask(self, call: Any, request: Message, epoch: str = "") -> Any:  # noqa: ANN401 - stubs are not typed
        try:
            return call(request, timeout=ANSWER, metadata=self.metadata())
        except grpc.RpcError as error:
            raise from_rpc(error, epoch) from error
