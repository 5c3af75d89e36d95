"""What every Parley service shares: events, bus, channels, telemetry, the service shell, pure rules."""
