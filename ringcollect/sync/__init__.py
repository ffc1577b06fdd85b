"""The synchronizer: records of one ring onto an exact nanosecond grid, as a pure function of that ring."""
