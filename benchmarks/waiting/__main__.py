"""The command line."""

from __future__ import annotations

import argparse

from benchmarks.waiting import main

parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description="What waiting costs.")
parser.add_argument("--short", action="store_true", help="a minute instead of five")
main(parser.parse_args().short)
