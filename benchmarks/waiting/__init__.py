"""What waiting costs: idle wake-ups, processor share and latency by strategy and interval; the price of a futex.

``python -m benchmarks.waiting [--short]`` writes ``benchmarks/results/waiting.md`` (a plot too, with matplotlib) and
the tables of ``docs/waiting.md``. Wake-ups are the kernel's count of voluntary context switches, processor time is its
count too; only latency is a matter of clocks.
"""

from benchmarks.waiting.page import main

__all__ = ["main"]
