"""From where an attachment may be fetched, and with whose credentials. Pure: addresses are looked up elsewhere.

The URL came in a signed webhook, and is held all the same against what Twilio's own look like: whoever could
choose it would have this process, with the account's credentials, ask any server that it reaches.
"""

from __future__ import annotations

import ipaddress
import re

import httpx2

from parley_common.channels import Channel

Origin = tuple[str, str, int]
"""Scheme, host and port."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_TWILIO_HOST = re.compile(r"api(\.[a-z0-9-]+){0,2}\.twilio\.com")
_PORTS = {"http": 80, "https": 443}
_CLEAN = re.compile(r"[!-\[\]-~]{1,2048}")
"""Printable ASCII without a backslash, which some read as a slash."""

_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # behind a carrier's NAT, and of some clouds' own services
            "168.63.129.16/32",  # the host of every machine of Azure
            "192.0.0.0/24",  # of protocols
            "192.88.99.0/24",  # relays of 6to4
            "::/96",  # IPv4 in IPv6, as it was written once
            "::ffff:0:0/96",  # IPv4 in IPv6
            "64:ff9b::/96",  # IPv4 behind NAT64, whatever of it that reaches
            "64:ff9b:1::/48",  # the same of one network
            "2001::/23",  # of protocols, Teredo among them
            "2002::/16",  # 6to4
            "3fff::/20",  # of documentation
            "5f00::/16",  # of segment routing
            "fec0::/10",  # of a site
        ),
    )
)
"""Named here, since which of them Python takes for global has changed with its releases."""


class NotAllowed(Exception):  # noqa: N818 - an answer, not a fault
    """Nothing is fetched from there; the message says why, without the address."""


def read_url(text: str) -> httpx2.URL:
    """The URL as it will be asked; raises ``NotAllowed`` where two readers could understand it in two ways."""
    if not _CLEAN.fullmatch(text):
        raise NotAllowed("it is no clean URL")
    try:
        url = httpx2.URL(text)
        origin(url)
    except (httpx2.InvalidURL, ValueError, KeyError):
        raise NotAllowed("it is no URL of http or https") from None
    if not url.host or url.userinfo or "#" in text:
        raise NotAllowed("it names a user or a fragment, or no host")
    return url


def origin(url: httpx2.URL) -> Origin:
    """Where a URL leads; raises ``KeyError`` for another scheme than http and https."""
    return url.scheme, url.host.lower(), url.port or _PORTS[url.scheme]


def own_origin(channel: Channel) -> Origin | None:
    """The origin that the operator has put in Twilio's place, None where it is Twilio's own."""
    base = origin(httpx2.URL(channel.api_base_url))
    return None if base[0] == "https" and _TWILIO_HOST.fullmatch(base[1]) else base


def source(text: str, channel: Channel, message_sid: str) -> httpx2.URL:
    """The URL of a text's attachment, fit to be asked with the account's credentials. Raises ``NotAllowed``."""
    url, own = read_url(text), own_origin(channel)
    if own is not None:
        if origin(url) != own:
            raise NotAllowed("it is not at TWILIO_API_BASE_URL")
        return url
    scheme, host, port = origin(url)
    if scheme != "https" or port != _PORTS["https"] or not _TWILIO_HOST.fullmatch(host):
        raise NotAllowed("it is not at Twilio's API")
    path = re.escape(f"/2010-04-01/Accounts/{channel.account_sid}/Messages/{message_sid}/Media/")
    if not re.fullmatch(f"{path}ME[0-9a-f]{{32}}".encode(), url.raw_path):
        raise NotAllowed("it is no medium of this message")
    return url


def target(here: httpx2.URL, location: str, channel: Channel) -> httpx2.URL:
    """Where a redirect leads, if one may go there. Raises ``NotAllowed``."""
    if not _CLEAN.fullmatch(location):
        raise NotAllowed("it redirects to no clean URL")
    try:
        joined = str(here.join(location))
    except (httpx2.InvalidURL, ValueError):
        raise NotAllowed("it redirects to no URL") from None
    url = read_url(joined)
    if origin(url) != own_origin(channel) and (url.scheme, url.port or 443) != ("https", 443):
        raise NotAllowed("it redirects to something else than https")
    return url


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the whole internet: not of this machine, this network or a cloud's metadata."""
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
