"""A Twilio that runs on this machine: REST API, webhooks, faults, and a phone in the browser."""
