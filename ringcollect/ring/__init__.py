"""Rings: fixed-layout records in shared memory, one producer, any number of readers."""
