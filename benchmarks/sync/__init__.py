"""The synchronizer beside its peers: the book alone, rows of feature sets, the same columns built offline."""
