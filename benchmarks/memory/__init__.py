"""What a feed process takes by the number of its symbols."""
