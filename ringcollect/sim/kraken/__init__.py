"""Kraken spot v2 on loopback: books with checksums, prints and tickers, from a generated market."""
