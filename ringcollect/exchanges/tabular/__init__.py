"""Frames of the channels that are not hot, decoded by one kernel from tables that each exchange describes.

:mod:`describe` says what an exchange's frames look like and compiles it to words, :mod:`layout` names the words,
:mod:`scan`, :mod:`values` and :mod:`emit` read a frame by them, :mod:`kernel` is what the feed calls.
"""
