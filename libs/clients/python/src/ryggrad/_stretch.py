"""One connection of a subscription: frames as they come, with an eye on the clock."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any

import grpc

from ryggrad._errors import Silent

if TYPE_CHECKING:
    from ryggrad.contracts.events.v1.event_stream_pb2 import SubscribeResponse

# Frames that may wait for the consumer; more wait at the server, by the flow control of HTTP/2.
_WAITING = 2


class _Ended:
    """The last thing in the queue: the server closed the stream, with an error or without."""

    def __init__(self, error: grpc.RpcError | None) -> None:
        self.error = error


class Stretch:
    """Reads a call in a thread of its own, so that whoever waits for a frame can stop waiting."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - grpc has no public type for a call that is iterated
        self._call = call
        self._frames: queue.Queue[SubscribeResponse | _Ended] = queue.Queue(_WAITING)
        self._closed = threading.Event()
        threading.Thread(target=self._read, name="ryggrad-subscription", daemon=True).start()

    def next(self, patience: float) -> SubscribeResponse | None:
        """The next frame; None when the server closed the stream in order.

        Raises Silent when none comes in so many seconds, grpc.RpcError when the call broke.
        """
        try:
            frame = self._frames.get(timeout=patience)
        except queue.Empty:
            raise Silent("nothing was heard of the server") from None
        if isinstance(frame, _Ended):
            if frame.error is not None:
                raise frame.error
            return None
        return frame

    def is_waiting(self) -> bool:
        """Whether the next frame is still to come."""
        return self._frames.empty()

    def close(self) -> None:
        """Ends the call; whoever waits for a frame is let go."""
        self._closed.set()
        self._call.cancel()
        with contextlib.suppress(queue.Full):
            self._frames.put_nowait(_Ended(None))

    def _read(self) -> None:
        ended = _Ended(None)
        try:
            for frame in self._call:
                if not self._hand_over(frame):
                    return
        except grpc.RpcError as error:
            ended = _Ended(error)
        self._hand_over(ended)

    def _hand_over(self, frame: SubscribeResponse | _Ended) -> bool:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._frames.put(frame, timeout=0.5)
                return True
        return False
