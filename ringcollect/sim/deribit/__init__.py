"""Deribit on loopback: books chained by ids, prints, quotes and tickers, from a generated market."""
