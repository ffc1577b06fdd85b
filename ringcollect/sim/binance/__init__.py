"""Binance spot and USD-M as their documentation describes them: streams, control frames, paths, REST."""
