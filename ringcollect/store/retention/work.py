"""Retention in a process of its own: ``python -m ringcollect.store.retention.work --data DIR --limits JSON``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec

from ringcollect.config import Retention
from ringcollect.errors import RingcollectError
from ringcollect.store.retention.run import retain


def main(arguments: list[str] | None = None) -> int:
    """One run; its report as one line of JSON. Exit 0, 1 (something had to stay), 3 no lake, 4 the disk refuses."""
    parser = argparse.ArgumentParser(prog="python -m ringcollect.store.retention.work", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limits", required=True)
    parser.add_argument("--archive", default="")
    parser.add_argument("--no-fsync", action="store_true")
    options = parser.parse_args(arguments)
    limits = msgspec.json.decode(options.limits, type=Retention)
    try:
        report = retain(options.data, limits, sync=not options.no_fsync, archive=options.archive)
    except RingcollectError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(error, file=sys.stderr)
        return 4
    print(json.dumps(report.to_dict()), flush=True)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
