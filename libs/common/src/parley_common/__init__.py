"""What every Parley service shares: events, the bus, channels, telemetry, the service shell and the pure domain."""
