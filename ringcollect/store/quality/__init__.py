"""The daily quality report: what of each stream is in the lake, what is missing and why; from sealed files alone."""
