"""What is too old, or too much, goes: a day folder at a time, and the lake says what it was."""
