"""Benchmarks: ringcollect beside what a user could pick instead. README.md of this folder says how to read them."""
