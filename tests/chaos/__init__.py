"""Chaos: thousands of texts while processes die and freeze and Twilio misbehaves; then all is counted."""
