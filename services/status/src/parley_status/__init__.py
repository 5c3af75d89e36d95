"""Every event in, the database, the API and the inbox out."""
