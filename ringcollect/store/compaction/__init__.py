"""Small segments of a day merged into one file, and readers that never see a row twice or miss one meanwhile."""
