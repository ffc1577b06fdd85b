"""Starts, watches and stops the processes of one collector; touches no record."""
