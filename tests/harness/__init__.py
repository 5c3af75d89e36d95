"""Real processes for tests: a broker, the services, the simulator; started, hurt, and gone when the test ends."""
