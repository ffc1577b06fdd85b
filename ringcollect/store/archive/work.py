"""The archiver's work: a short-lived child with pyarrow that sends segments, one line of JSON for whatever happens.

Run as ``python -m ringcollect.store.archive.work --data DIR --uri URI … CERTIFICATE…``; credentials come from its
environment. It ends when its standard input does: the process that started it is gone then.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from ringcollect.errors import EnvironmentRefused, RingcollectError
from ringcollect.store.archive.keys import Keys
from ringcollect.store.archive.send import send
from ringcollect.store.archive.sending import ArchiveError
from ringcollect.store.archive.settings import Target
from ringcollect.store.durable import lock_now
from ringcollect.store.location import Endpoint

LOCK = ".archive.lock"
REACH = "reach"


def lock(data: Path) -> int:
    """The right to send this lake's segments, held until the descriptor is closed.

    EnvironmentRefused while another process has it.
    """
    path = data / LOCK
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        lock_now(fd, path)
    except EnvironmentRefused:
        os.close(fd)
        raise
    return fd


def main(arguments: list[str] | None = None) -> int:
    """Send each segment; those after one that cannot be sent are tried, unless it is the store that refuses.

    Exit 0 all are in the archive, 1 some are not, 4 the store or the disk refuses.
    """
    parser = argparse.ArgumentParser(prog="python -m ringcollect.store.archive.work", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    for name in ("uri", "endpoint", "region", "layout", "server"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("certificates", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    target = Target(options.uri, Endpoint(options.endpoint, options.region), Keys(options.layout, options.server))
    try:
        fd = lock(options.data)
        lake = target.open()
    except (RingcollectError, OSError) as error:
        _say("failed", {"certificate": "", "stage": REACH, "error": str(error)})
        return EnvironmentRefused.exit_code
    worst = 0
    for certificate in options.certificates:
        try:
            sent = send(options.data, certificate, target, lake, remove=options.remove, tell=_tell)
            _say("sent", sent._asdict())
        except ArchiveError as error:
            _say("failed", {"certificate": certificate.name, "stage": error.stage, "error": str(error)})
            worst = max(worst, 1)
            if error.is_of_the_store:
                worst = EnvironmentRefused.exit_code
                break
    os.close(fd)
    return worst


def _tell(key: str, length: int) -> None:
    _say("piece", {"key": key, "bytes": length})


def _say(what: str, content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({what: content}) + "\n")  # one write: several threads tell of pieces
    sys.stdout.flush()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # sys.stdin itself would be locked when the interpreter ends
    os._exit(EnvironmentRefused.exit_code)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(main())
