"""Sealed segments in another lake, mostly an object store: sent, verified there, and only then removed here."""
