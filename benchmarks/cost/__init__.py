"""What a frame and a record cost on the feed's own way: every exchange, every channel, one table."""
