"""The schema's changes, one file each, applied at start."""
