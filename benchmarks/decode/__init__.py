"""The decode benchmark. Workers of other environments import from here: nothing of ours at this level."""
