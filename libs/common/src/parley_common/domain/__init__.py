"""The pure rules of texting: values in, decisions out; no clock, randomness, I/O or logging in here."""
