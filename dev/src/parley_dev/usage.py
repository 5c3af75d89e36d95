"""The words of ``--help`` about the environment, which is all that configures a local run."""

from __future__ import annotations

EPILOG = """\
There are no options, the environment says it all.

ports, all on 127.0.0.1:
  SMS_WEBHOOK_PORT            8080  ingress: webhooks from Twilio
  PARLEY_STATUS_PORT          8081  status: the API
  PARLEY_SIMULATOR_PORT       8082  simulator: Twilio's API and the phone page
  PARLEY_AGENT_PORT           8083  agent: health and metrics
  PARLEY_EGRESS_PORT          8084  egress: health and metrics
  PARLEY_NATS_PORT            4222  NATS

data and broker:
  PARLEY_DATA_DIR             ./.data  what must last; one run at a time
  NATS_URL                    a broker of your own; none is started then
  PARLEY_HASH_KEY             made at the first run and kept in PARLEY_DATA_DIR
  PARLEY_SECRET_KEY           likewise; signs links to pictures
  PARLEY_API_KEY              likewise; the key of the API
  PARLEY_LOG_FORMAT           text, or json as in production

Twilio; without TWILIO_ACCOUNT_SID it is simulated:
  TWILIO_ACCOUNT_SID          AC and 32 hex digits
  TWILIO_AUTH_TOKEN           the token of that account
  TWILIO_PHONE_NUMBER         one or more numbers in E.164, commas between
  TWILIO_MESSAGING_SERVICE_SID  MG and 32 hex digits, instead of or beside numbers
  TWILIO_API_BASE_URL         another server that speaks Twilio's API
  PARLEY_PUBLIC_URL           the address at which Twilio reaches ingress

people:
  SMS_ALLOWED_USERS           who may text the agent, commas between
  SMS_ALLOW_ALL_USERS         true: everybody (simulated: unless one of the two is set)
"""
