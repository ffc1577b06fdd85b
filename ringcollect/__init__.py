"""ringcollect: a market-data collector with shared-memory rings and certified Parquet."""

__version__ = "0.1.0"
