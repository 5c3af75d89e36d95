"""TurnDone in, texts to Twilio, PartSent and PartFailed out."""
