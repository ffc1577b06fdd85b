"""Exchanges that ccxt reaches: configuration, frames, connections, and the real thing against the simulator."""
