"""What answers a text, and the agent file that chooses it. Knows neither broker nor Twilio."""
