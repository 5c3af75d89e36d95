"""make run: broker, services and simulator as processes of one command."""
