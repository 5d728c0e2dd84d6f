"""Keeps a copy of everything that one may see in a file, one JSON object a line.

The last whole line says where to go on: there is no other memory, so that nothing is missing and nothing is there twice
whenever this is killed.

    python mirror.py --url http://127.0.0.1:8080 events.ndjson
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from ryggrad import Client, Cursor, Event, Start


def last_cursor(path: Path) -> Cursor:
    """The cursor in the last whole line; a line that was not finished is taken away."""
    if not path.exists():
        return Cursor()
    with path.open("r+b") as file:
        whole = file.read().rpartition(b"\n")[0]
        file.truncate(len(whole) + 1 if whole else 0)
    if not whole:
        return Cursor()
    line = json.loads(whole.rpartition(b"\n")[2])
    return Cursor(int(line["event"]["position"]), line["epoch"])


def main() -> None:
    """Reads the arguments and follows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default=os.environ.get("RYGGRAD_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token", default=os.environ.get("RYGGRAD_TOKEN"), help="for what is not open data")
    parser.add_argument("--once", action="store_true", help="end when everything recorded until now is in the file")
    arguments = parser.parse_args()
    start = Start.after(last_cursor(arguments.file))
    with (
        Client(arguments.url, token=arguments.token) as client,
        client.subscribe(start=start, stop_at_head=arguments.once) as subscription,
        arguments.file.open("a", encoding="utf-8") as file,
    ):
        for message in subscription.messages():
            if isinstance(message, Event):
                line = {"epoch": subscription.cursor.epoch, "event": message.as_json()}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            else:
                file.flush()


if __name__ == "__main__":
    main()
