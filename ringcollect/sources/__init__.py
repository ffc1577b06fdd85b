"""In from elsewhere: captures and recorded frames, replayed through the feed's own code."""
