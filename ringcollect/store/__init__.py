"""From ring to lake: journals that survive ``kill -9``, sealed Parquet, certificates, and the check of all of it."""
