"""One module for each change of the schema. What is released here is never edited."""
