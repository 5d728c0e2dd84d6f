"""Follows the stream: connects, watches, checks, and connects again."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc

from ryggrad._checkpoint import Checkpoint, Cursor
from ryggrad._errors import Refused, RyggradError, Silent, Superseded, from_rpc
from ryggrad._event import Event
from ryggrad._order import Order
from ryggrad._stretch import Stretch
from ryggrad.contracts.events.v1 import event_stream_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

# The first and the longest pause before connecting again, in seconds.
_PAUSES = (0.05, 5.0)
# After so many heartbeats without one the server is taken for lost.
_MISSED = 3
# Room for the way of a heartbeat.
_GRACE = 0.5
# How long the server may take to answer a request.
ANSWER = 15.0

_TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True)
class CaughtUp:
    """Everything recorded until now has come. Said once, and again after every time that we fell behind."""

    position: int
    head: int


@dataclass(frozen=True)
class Heartbeat:
    """There is nothing new, and contact is not lost."""

    position: int
    head: int


Message = Event | CaughtUp | Heartbeat


@dataclass(frozen=True)
class Options:
    """How a subscription behaves."""

    heartbeat: float
    stop_at_head: bool
    checkpoint: Checkpoint | None
    store_every: float
    give_up_after: float | None
    renews_token: bool


class Subscription:
    """Events in the order of the log; iterate over it, in one thread.

    It ends by `close`, at the head when that was asked for, or with an error that trying again does not mend. Whoever
    asks for the next event has dealt with all before it: that is what the checkpoint remembers.
    """

    def __init__(
        self, subscribe: Callable[[pb.SubscribeRequest], Any], request: pb.SubscribeRequest, options: Options
    ) -> None:
        self._subscribe = subscribe
        self._request = request
        self._options = options
        self._order = Order()
        self._waiting: deque[Message] = deque()
        self._stretch: Stretch | None = None
        self._closed = threading.Event()
        self._pause = _PAUSES[0]
        self._heard = time.monotonic()
        self._caught_up = False
        self._cursor = Cursor(request.after, request.epoch)
        self._stored = (self._cursor, time.monotonic())

    @property
    def cursor(self) -> Cursor:
        """Where to go on after everything that was taken so far: store it with the effect of the last event."""
        return self._cursor

    def __iter__(self) -> Iterator[Event]:
        """The events; signs of life are passed over."""
        return (message for message in self.messages() if isinstance(message, Event))

    def messages(self) -> Iterator[Message]:
        """Events, and between them what the server says when there are none."""
        try:
            while (message := self._next()) is not None:
                yield message
        finally:
            self.close()

    def acknowledge(self) -> None:
        """Stores in the checkpoint, now, that everything taken so far has been dealt with."""
        self._store()

    def close(self) -> None:
        """Ends the subscription, from any thread. What was taken last counts as not dealt with unless acknowledged."""
        self._closed.set()
        if self._stretch is not None:
            self._stretch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # === what comes next ===

    def _next(self) -> Message | None:
        while not self._closed.is_set():
            if self._waiting:
                # The consumer is back: what it had is dealt with.
                if self._is_due():
                    self._remember()
                return self._take(self._waiting.popleft())
            stretch = self._stretch
            if stretch is None or stretch.is_waiting():
                self._remember()
            try:
                if not self._listen():
                    return None
            except RyggradError as error:
                self._interrupted(error)
        return None

    def _take(self, message: Message) -> Message:
        self._cursor = Cursor(message.position, self._order.epoch)
        return message

    def _listen(self) -> bool:
        """Takes one frame in; False when the subscription was to stop at the head and has."""
        patience = self._options.heartbeat * _MISSED + _GRACE
        begins = self._stretch is None
        if self._stretch is None:
            self._order.again()
            self._stretch = Stretch(self._subscribe(self._request_now()))
        try:
            frame = self._stretch.next(max(patience, ANSWER) if begins else patience)
        except grpc.RpcError as error:
            raise from_rpc(error, self._order.epoch) from error
        if frame is None:
            if self._caught_up and self._options.stop_at_head:
                self._store()
                return False
            raise Silent("the server closed the stream")
        self._heard = time.monotonic()
        self._receive(frame)
        return True

    def _request_now(self) -> pb.SubscribeRequest:
        request = pb.SubscribeRequest()
        request.CopyFrom(self._request)
        if self._order.last is not None:
            for field in ("after_event_id", "from_time", "from_now", "replace"):
                request.ClearField(field)
            request.after = self._order.last
            request.epoch = self._order.epoch
        return request

    def _receive(self, frame: pb.SubscribeResponse) -> None:
        kind = frame.WhichOneof("frame")
        if kind == "started":
            self._order.begin(frame.started.after, frame.started.epoch)
            if not self._cursor.epoch:
                self._cursor = Cursor(self._order.last or 0, self._order.epoch)
            return
        # The server works: whatever interrupts it now is new.
        self._pause = _PAUSES[0]
        if kind == "batch":
            for envelope in frame.batch.events:
                if self._order.event(envelope.position):
                    self._waiting.append(Event(envelope))
        elif kind == "caught_up":
            self._caught_up = True
            said = frame.caught_up
            if self._order.mark(said.position):
                self._waiting.append(CaughtUp(said.position, said.head))
        elif kind == "heartbeat":
            beat = frame.heartbeat
            if self._order.mark(beat.position):
                self._waiting.append(Heartbeat(beat.position, beat.head))

    # === when it breaks ===

    def _interrupted(self, error: RyggradError) -> None:
        """Waits before the next attempt, or raises what trying again does not mend."""
        had_begun = self._stretch is not None
        if self._stretch is not None:
            self._stretch.close()
            self._stretch = None
        if self._closed.is_set():
            return
        retry_after = self._mendable(error, had_begun=had_begun)
        silent = time.monotonic() - self._heard
        if self._options.give_up_after is not None and silent > self._options.give_up_after:
            raise error
        # Between half of the pause and all of it: those who lost the server together do not come back together.
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - not for secrets
        self._pause = min(self._pause * 2, _PAUSES[1])
        self._closed.wait(max(pause, retry_after))

    def _mendable(self, error: RyggradError, *, had_begun: bool) -> float:
        """Seconds that the server wants us to wait; raises the error when trying again cannot help."""
        if isinstance(error, Silent):
            return 0.0
        if not isinstance(error, Refused):
            raise error
        if error.code is grpc.StatusCode.ABORTED and self._request.durable:
            raise Superseded(error.message) from error
        # A token that ran out under way is asked for anew; one that is refused at once is no good.
        ran_out = error.code is grpc.StatusCode.UNAUTHENTICATED and self._options.renews_token
        if ran_out and had_begun and self._pause == _PAUSES[0]:
            self._pause = _PAUSES[0] * 2
            return 0.0
        if error.code not in _TRANSIENT:
            raise error
        return error.retry_after or 0.0

    # === the checkpoint ===

    def _is_due(self) -> bool:
        return time.monotonic() - self._stored[1] >= self._options.store_every

    def _remember(self) -> None:
        """Stores the cursor; a server that is away keeps it a moment later."""
        try:
            self._store()
        except Refused as error:
            if error.code not in _TRANSIENT:
                raise

    def _store(self) -> None:
        checkpoint = self._options.checkpoint
        if checkpoint is not None and self._cursor != self._stored[0] and self._cursor.epoch:
            checkpoint.store(self._cursor)
            self._stored = (self._cursor, time.monotonic())
