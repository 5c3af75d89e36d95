"""Where in the cluster's names something stands, and which port of this machine stands for it. Pure.

A name and its port are rewritten together, or not at all: what is left in the cluster's words is a mistake in the
chart, and the process that is told it finds nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

HOST = "127.0.0.1"


def spellings(name: str, namespace: str) -> Iterator[str]:
    """The names under which the cluster's DNS knows a Service, or a pod of a headless one."""
    yield name
    for suffix in ("", ".svc", ".svc.cluster.local"):
        yield f"{name}.{namespace}{suffix}"


@dataclass
class Addresses:
    """``known``: a host and port of the cluster to a port of this machine."""

    namespace: str
    known: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, host: str, port: int, local: int) -> None:
        """One more, in all the spellings of its host."""
        for spelling in spellings(host, self.namespace):
            self.known[spelling, port] = local

    def rewrite(self, text: str) -> str:
        """The text with every known host and port in words of this machine."""
        hosts = sorted({host for host, _ in self.known}, key=len, reverse=True)
        if not hosts:
            return text
        pair = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, hosts))}):(\d+)(?!\d)")
        return pair.sub(self._local, text)

    def unknown(self, text: str) -> list[str]:
        """Names of the cluster that are left in a text."""
        hosts = {host for host, _ in self.known}
        return [word for word in re.findall(r"[\w.-]+", text) if word in hosts]

    def _local(self, found: re.Match[str]) -> str:
        local = self.known.get((found[1], int(found[2])))
        return found[0] if local is None else f"{HOST}:{local}"


def rewrite_paths(text: str, places: Mapping[str, str]) -> str:
    """The text with the paths of mounts replaced by those of folders of this machine."""
    for mount in sorted(places, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(mount)}(?![\w.-])", places[mount], text)
    return text


def rewrite_listeners(config: str, ports: Mapping[int, int]) -> str:
    """A configuration of NATS that listens on this machine only, on the ports that stand for the pod's."""

    def listen(found: re.Match[str]) -> str:
        local = ports.get(int(found["port"]))
        word = "http" if found["http"] else "listen"
        return found[0] if local is None else f'{found["indent"]}{word}: "{HOST}:{local}"'

    pattern = re.compile(r"^(?P<indent>\s*)(?P<http>http_)?port:\s*(?P<port>\d+)\s*$", re.MULTILINE)
    return pattern.sub(listen, config)
