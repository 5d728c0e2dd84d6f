"""Nothing out of order, nothing twice, nothing of another log: checked for everything that comes."""

from __future__ import annotations

from ryggrad._errors import EpochChanged, OutOfOrder


class Order:
    """What may come next. Positions rise; where one is missing, the filter or the access rules held an event back."""

    def __init__(self) -> None:
        self.epoch = ""
        self.last: int | None = None
        """Everything up to here has come; None before the server has said where it begins."""
        self._sent: int | None = None

    def again(self) -> None:
        """A new stretch: the server has to say where it begins."""
        self._sent = None

    def begin(self, after: int, epoch: str) -> None:
        """The server said where the stretch begins, and in which log.

        A durable subscription goes on after what was acknowledged, which may be before what has come: that comes again.
        Any other begins where we asked it to.
        """
        if self.epoch and epoch != self.epoch:
            raise EpochChanged(self.epoch, epoch)
        if self.last is not None and after > self.last:
            raise OutOfOrder(self.last, after)
        self.epoch = epoch
        self._sent = after
        if self.last is None:
            self.last = after

    def event(self, position: int) -> bool:
        """An event came; whether it is new."""
        if self.last is None or self._sent is None or position <= self._sent:
            raise OutOfOrder(self._sent or 0, position)
        self._sent = position
        if position <= self.last:
            return False
        self.last = position
        return True

    def mark(self, position: int) -> bool:
        """The server said that everything up to a position was sent; whether all that had come before is in it."""
        if self.last is None or self._sent is None or position < self._sent:
            raise OutOfOrder(self._sent or 0, position)
        self._sent = position
        if position < self.last:
            return False
        self.last = position
        return True
