"""The brain that follows a script: no key, no network."""
