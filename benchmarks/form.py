"""How much is run: the three forms of ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """``rounds``: alternating runs of each subject; ``scale``: share of the full amount of work in one run."""

    name: str
    rounds: int
    scale: float
    peers: bool
    """Whether peers with an environment of their own take part."""
    share: float = 1.0
    """Of the work that makes one round long enough to be measured well."""

    def amount(self, full: int, least: int = 1) -> int:
        """``full`` units of work in the full form, fewer in the others."""
        return max(least, round(full * self.scale))


FULL = Form("full", rounds=9, scale=1.0, peers=True)
SHORT = Form("short", rounds=5, scale=0.2, peers=True, share=0.8)
CI = Form("ci", rounds=5, scale=0.02, peers=False, share=0.1)
FORMS = {form.name: form for form in (FULL, SHORT, CI)}
