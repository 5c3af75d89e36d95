"""The form of an inbound webhook, field by field as Twilio posts it.

Pure. Blank geographic fields are kept: a verifier that drops them computes another signature.
"""

from parley_simulator.messages import Message


def inbound_form(
    message: Message, account_sid: str, *, origin: str, opt_out_type: str | None = None
) -> dict[str, str]:
    """Return the form for a text; `origin` is where media are served."""
    form = {} if ":" in message.to else _geography(message)
    form |= {
        "SmsMessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "Body": message.body,
        "To": message.to,
        "NumSegments": str(message.segments.segments),
        "MessageSid": message.sid,
        "AccountSid": account_sid,
        "From": message.sender or "",
        "ApiVersion": "2010-04-01",
    }
    if message.service_sid:
        form["MessagingServiceSid"] = message.service_sid
    if opt_out_type:
        form["OptOutType"] = opt_out_type
    if ":" in message.to:
        form |= _channel(message)
    base = f"{origin}/2010-04-01/Accounts/{account_sid}/Messages/{message.sid}/Media"
    for place, media in enumerate(message.media):
        form[f"MediaContentType{place}"] = media.content_type
        form[f"MediaUrl{place}"] = f"{base}/{media.sid}"
    return form


def _geography(message: Message) -> dict[str, str]:
    form = {f"{side}{part}": "" for part in ("City", "State", "Zip", "Country") for side in ("To", "From")}
    for side, number in (("To", message.to), ("From", message.sender or "")):
        if number.startswith("+1"):
            form[f"{side}Country"] = "US"
    return form


def _channel(message: Message) -> dict[str, str]:
    number = (message.sender or "").rpartition(":")[2]
    return {"ProfileName": "Simulated person", "WaId": number.lstrip("+"), "NumSegments": "1"}
