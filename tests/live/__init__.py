"""Against the exchanges themselves: opt-in, skipped otherwise."""
