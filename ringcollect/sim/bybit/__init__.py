"""Bybit v5, simulated."""
