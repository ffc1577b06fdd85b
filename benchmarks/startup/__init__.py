"""From the start of a process to the first record that somebody else can read."""
