"""Twilio's REST API, for whoever sends, lists or asks: the connection, never what to do with it."""
