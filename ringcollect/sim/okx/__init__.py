"""OKX v5 on loopback: the public channels of spot, swaps and dated futures, from a generated market."""
