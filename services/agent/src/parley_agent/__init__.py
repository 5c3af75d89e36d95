"""InboundMessage in, TurnDone out."""
