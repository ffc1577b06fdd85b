"""Coinbase, simulated: Advanced Trade and the Exchange feed of the same markets."""
