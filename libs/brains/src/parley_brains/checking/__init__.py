"""What is wrong with an agent file: every mistake at once, with its line and what to do about it."""
