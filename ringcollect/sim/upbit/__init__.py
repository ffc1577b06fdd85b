"""Upbit on loopback: order books and trades in binary frames, from a generated market."""
