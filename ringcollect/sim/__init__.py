"""Exchanges on loopback: generated markets, the true wire protocols, faults on demand, a file of the truth.

Nothing here imports the package's own decoders or exchange rules: the simulator is what they are tested against.
"""
