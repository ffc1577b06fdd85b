"""Feature groups: one file of kernels per group, and the catalogue that names their columns."""
