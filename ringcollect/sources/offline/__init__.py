"""Rows built again from a lake's records, by the kernels that run live; ``docs/offline.md`` is the description."""
