"""Sealing in this process, as in the tests of replay."""

from __future__ import annotations

from tests.replay.conftest import sealed_here as sealed_here
