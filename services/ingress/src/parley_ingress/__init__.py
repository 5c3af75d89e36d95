"""Twilio webhooks in, InboundMessage, ConsentChanged and DeliveryReport out."""
