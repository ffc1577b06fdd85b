"""The ring beside other channels between processes: throughput and latency."""
