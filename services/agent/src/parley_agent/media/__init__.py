"""What people attach and what agents send along: fetched, kept, handed to brains, hosted."""
