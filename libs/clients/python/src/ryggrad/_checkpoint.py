"""Where a consumer remembers how far it has come."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ryggrad._errors import CheckpointError

if TYPE_CHECKING:
    from ryggrad._client import Client


@dataclass(frozen=True)
class Cursor:
    """How far a consumer has come in which log: everything up to `position` has been dealt with."""

    position: int = 0
    epoch: str = ""


class Checkpoint(Protocol):
    """Remembers a cursor.

    A consumer whose effects are in a database does better to store the cursor there, in the transaction of the effect:
    then each event has its effect exactly once. `examples/stop_payouts.py` shows it.
    """

    def load(self) -> Cursor | None:
        """The cursor that was stored last; none before the first time."""

    def store(self, cursor: Cursor) -> None:
        """Stores a cursor in place of the one before, whole or not at all."""


class MemoryCheckpoint:
    """A cursor that is forgotten when the process ends."""

    def __init__(self) -> None:
        self._cursor: Cursor | None = None

    def load(self) -> Cursor | None:
        """The cursor that was stored last."""
        return self._cursor

    def store(self, cursor: Cursor) -> None:
        """Stores a cursor."""
        self._cursor = cursor


class FileCheckpoint:
    """A cursor in a file of JSON, which need not be there yet; its folder must."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> Cursor | None:
        """The cursor in the file.

        Raises CheckpointError when there is a file that is no cursor.
        """
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            return Cursor(int(stored["position"]), str(stored["epoch"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"the checkpoint {self._path}: {error}") from error

    def store(self, cursor: Cursor) -> None:
        """Writes a file beside the old one and moves it into its place: a crash leaves the one or the other."""
        text = json.dumps({"epoch": cursor.epoch, "position": cursor.position})
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise CheckpointError(f"the checkpoint {self._path}: {error}") from error


class ServerCheckpoint:
    """The acknowledged position of a durable subscription, kept by the server for the caller's organisation.

    A subscription with `durable` uses one by itself.
    """

    def __init__(self, client: Client, durable: str) -> None:
        self._client = client
        self._durable = durable

    def load(self) -> Cursor | None:
        """None: the server knows by itself where the durable subscription goes on."""
        return None

    def store(self, cursor: Cursor) -> None:
        """Acknowledges everything up to the cursor."""
        self._client.acknowledge(self._durable, cursor)
