"""Twilio's REST API as the simulator serves it: one module per resource."""
