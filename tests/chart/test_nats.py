"""The embedded NATS as the chart renders it: its configuration means what the values say, and it runs."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chart.nats_checks import checked, container, environment, secret
from chart.nats_release import MINIMAL, NAME, SERVICES, SMALL, Nats, embedded, find, nats_objects, running_nats
from harness.helm import refusal, render
from harness.waiting import wait_until
from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.declare import declare
from parley_common.events import SendingSwitched

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ODD = ["0123456789", "1k", 'a"b', "a\\n$HOME", "two words", "#{[,;=:", "ünïcödé", "true", "$(AGENT_SECRET)"]


def config(*values: Any) -> str:
    """The rendered nats.conf."""
    return str(find(nats_objects(*values), "ConfigMap")["data"]["nats.conf"])


def pod_of(*values: Any, **options: Any) -> Any:
    """The spec of its pods."""
    return find(nats_objects(*values, **options), "StatefulSet")["spec"]["template"]["spec"]


@pytest.mark.parametrize("replicas", [1, 3, 5])
@pytest.mark.parametrize("release", ["r", "123", "on", "r" * 53])
def test_the_server_takes_the_configuration(tmp_path: Path, replicas: int, release: str) -> None:
    rendered = render(MINIMAL, SMALL, embedded(replicas=replicas), release=release)
    name = next(one["metadata"]["name"] for one in rendered if one["kind"] == "StatefulSet" and "nats" in str(one))
    renamed = json.loads(json.dumps(rendered).replace(name, NAME)) if name != NAME else rendered
    code, said = checked(renamed, tmp_path)
    assert (code, "is valid" in said) == (0, True), said


def test_it_takes_the_configuration_with_tls(tmp_path: Path, certificates: Path) -> None:
    objects = nats_objects(embedded(replicas=3, tls={"secret": "certs"}))
    code, said = checked(objects, certificates)
    assert (code, "is valid" in said) == (0, True), said


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A key and a certificate that is its own authority, under the names of a TLS Secret."""
    folder = tmp_path / "certs"
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=nats", "-days", "1", "-keyout", "tls.key", "-out", "tls.crt"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "ca.crt").write_bytes((folder / "tls.crt").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"replicas": 2}, "nats.embedded.replicas|replicas", id="two servers"),
        pytest.param(
            {"syncInterval": "2"}, "write always, or a duration with its unit|syncInterval", id="no unit"
        ),
        pytest.param({"syncInterval": "never"}, "write always, or a duration|syncInterval", id="never"),
        pytest.param({"terminationGracePeriodSeconds": 30}, "at least 60|terminationGracePeriodSeconds", id="end"),
        pytest.param({"maxMemoryStore": "much"}, "write a size such as 20Gi|maxMemoryStore", id="memory"),
        pytest.param(
            {"storage": {"size": "20Gi", "maxFileStore": "30Gi"}},
            "less than the volume holds",
            id="more than it has",
        ),
        pytest.param({"passwords": {"agent": "it's"}}, "the password of agent must not", id="a quote"),
        pytest.param({"passwords": {"agent": "$2a$10$abc"}}, "the password of agent must not", id="a hash"),
        pytest.param(
            {"passwords": {"route": "a/b"}}, "the password of route stands in an address", id="an address"
        ),
        pytest.param({"passwords": {"nobody": "secret"}}, "there is no such user|nobody", id="nobody"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], sentence: str) -> None:
    said = refusal(MINIMAL, SMALL, embedded(**values))
    assert re.search(sentence, said), said


@pytest.mark.parametrize(
    ("size", "most"),
    [
        ("20Gi", 19_327_352_832),
        ("10G", 9_000_000_000),
        ("1.5Ti", 1_484_340_697_497),
        ("8589934592", 7_730_941_132),
    ],
)
def test_streams_have_nine_tenths_of_the_volume(size: str, most: int) -> None:
    assert f"max_file_store: {most}\n" in config(embedded(storage={"size": size}))


def test_most_of_the_memory_is_for_go() -> None:
    env = environment(nats_objects(embedded(resources={"limits": {"memory": "1Gi"}})))
    assert env["GOMEMLIMIT"] == str(1024**3 * 8 // 10)
    without = nats_objects(embedded(resources={"limits": {"memory": None}}))
    assert "GOMEMLIMIT" not in environment(without)


@pytest.mark.parametrize("seconds", [60, 75, 300])
def test_the_servers_own_end_is_over_before_it_is_killed(seconds: int) -> None:
    values = embedded(replicas=3, terminationGracePeriodSeconds=seconds)
    text = config(values)
    grace, drain = (int(re.findall(rf'{name}: "(\d+)s"', text)[0]) for name in _ENDING)
    assert pod_of(values)["terminationGracePeriodSeconds"] == seconds
    assert grace < drain
    assert grace + drain + 20 <= seconds


_ENDING = ("lame_duck_grace_period", "lame_duck_duration")


def test_only_a_cluster_has_routes_a_budget_and_a_lame_duck() -> None:
    one, three = nats_objects(), nats_objects(embedded(replicas=3))
    for objects, clustered in ((one, False), (three, True)):
        assert any(found["kind"] == "PodDisruptionBudget" for found in objects) == clustered
        assert ("cluster {" in config(embedded(replicas=3 if clustered else 1))) == clustered
        assert ("lifecycle" in container(objects)) == clustered
        ports = {port["name"] for port in find(objects, "Service", f"{NAME}-headless")["spec"]["ports"]}
        assert ports == {"client", "monitor"} | ({"cluster"} if clustered else set())
        assert [port["name"] for port in find(objects, "Service")["spec"]["ports"]] == ["client"]


def test_servers_find_each_other_before_they_are_ready_and_keep_their_volumes() -> None:
    objects = nats_objects(embedded(replicas=3))
    assert find(objects, "Service", f"{NAME}-headless")["spec"]["publishNotReadyAddresses"] is True
    spec = find(objects, "StatefulSet")["spec"]
    assert (spec["podManagementPolicy"], spec["minReadySeconds"]) == ("Parallel", 15)
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_its_pods_fit_the_restricted_standard() -> None:
    spec = pod_of({"telemetry": {"natsExporter": {"enabled": True}}})
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert [one["name"] for one in spec["containers"]] == ["nats", "exporter"]
    for one in spec["containers"]:
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_made_passwords_begin_with_a_letter_and_stand_in_no_other_object() -> None:
    objects = nats_objects(embedded(replicas=3))
    passwords = Nats(None, objects).passwords  # type: ignore[arg-type]
    assert all(re.fullmatch(r"p[A-Za-z0-9]{31}", password) for password in passwords.values())
    others = json.dumps([one for one in objects if one["kind"] != "Secret"])
    assert not [user for user, password in passwords.items() if password in others]


def test_given_passwords_are_kept_as_they_are() -> None:
    objects = nats_objects(embedded(passwords={"agent": "0123456789"}))
    assert Nats(None, objects).passwords["agent"] == "0123456789"  # type: ignore[arg-type]


def test_a_secret_of_the_operators_is_used_and_none_made() -> None:
    objects = nats_objects(embedded(existingSecret="mine", replicas=3))
    assert not [one for one in objects if one["kind"] == "Secret"]
    found = environment([*objects, secret({user: f"x{user}" for user in (*SERVICES, *_OTHERS)})])
    assert found["AGENT_PASSWORD"] == "'xagent'"
    assert found["ROUTE_1"] == f"'nats://route:xroute@{NAME}-1.{NAME}-headless.parley.svc:6222'"


_ALL = (*SERVICES, "operator", "declare")
_OTHERS = ("operator", "declare", "sys", "route")


@pytest.mark.parametrize(("interval", "seconds"), [("always", None), ("10s", 10), ("2m", 120)])
async def test_the_sync_interval_is_what_was_meant(tmp_path: Path, interval: str, seconds: int | None) -> None:
    async with running_nats(tmp_path, embedded(syncInterval=interval)) as nats:
        found = (await nats.ask("/jsz"))["config"]
        varz = await nats.ask("/varz")
    assert found.get("sync_always", False) == (seconds is None)
    if seconds is not None:
        assert found["sync_interval"] == seconds * 1_000_000_000
    assert found["max_storage"] == 8 * 1024**3 * 9 // 10
    assert varz["server_name"] == f"{NAME}-0"
    assert "should be converted" not in nats.log


@pytest.mark.parametrize("odd", [ODD[:6], ODD[6:]])
async def test_odd_passwords_work(tmp_path: Path, odd: list[str]) -> None:
    given = dict(zip(_ALL, odd, strict=False))
    async with running_nats(tmp_path, embedded(passwords=given)) as nats:
        for user, password in given.items():
            assert nats.passwords[user] == password
            async with nats.bus(user) as bus:
                assert bus.nc.is_connected, password


async def declared(nats: Nats, replicas: int) -> None:
    """Everything, by the user whose work that is."""
    limits = topology.Limits(replicas=replicas, max_bytes=50_000_000, media_max_bytes=50_000_000)
    async with nats.bus("declare") as bus:
        await declare(bus.js, limits)


async def test_keda_finds_a_consumers_lag_on_one_server(tmp_path: Path) -> None:
    async with running_nats(tmp_path) as nats:
        await declared(nats, 1)
        async with nats.bus("ingress") as bus:
            await bus.js.publish(topology.texts("c"), b"one")
        page = await nats.ask("/jsz?acc=APP&consumers=true&config=true")
        assert "meta_cluster" not in page, "so KEDA looks for no leader"
        assert _consumer(page, topology.AGENT_BELLS)["num_pending"] == 1
        assert "account_details" not in await nats.ask("/jsz?acc=$G&consumers=true"), "the account's name counts"


async def test_keda_finds_the_leader_of_a_consumer_in_a_cluster(tmp_path: Path) -> None:
    """It takes the first label of a route's address for a server's name, and asks that server."""
    values = embedded(replicas=3)
    env = environment(nats_objects(values))
    labels = [env[f"ROUTE_{n}"].partition("@")[2].partition(".")[0] for n in range(3)]
    async with running_nats(tmp_path, values) as nats:
        await declared(nats, 3)
        async with nats.bus("ingress") as bus:
            await bus.js.publish(topology.texts("c"), b"one")
        page = await nats.ask("/jsz?acc=APP&consumers=true&config=true")
        assert page["meta_cluster"]["cluster_size"] == 3
        varz = [await nats.ask("/varz", server) for server in range(3)]
        assert all(not one.get("connect_urls") for one in varz), "else KEDA would take those"
        assert [one["server_name"] for one in varz] == labels
        assert all(len(one["cluster"]["urls"]) == 3 for one in varz)
        assert nats.passwords["route"] not in json.dumps(varz)

        async def lag_at_leader() -> int | None:
            leader = _consumer(await nats.ask("/jsz?acc=APP&consumers=true"), topology.AGENT_BELLS)["cluster"][
                "leader"
            ]
            asked = await nats.ask("/jsz?acc=APP&consumers=true", labels.index(leader))
            pending: int = _consumer(asked, topology.AGENT_BELLS)["num_pending"]
            return pending

        await wait_until(lag_at_leader, 20.0, what="the lag at the leader")


async def test_a_cluster_serves_while_one_of_its_servers_is_away(tmp_path: Path) -> None:
    async with running_nats(tmp_path, embedded(replicas=3)) as nats:
        await declared(nats, 3)
        async with nats.bus("operator") as bus:
            await _switch(bus)
            ending = await nats.cluster.remove(nats.cluster.of("nats")[0])
            assert ending.in_time
            await wait_until(lambda: _switched_again(bus), 20.0, what="a write without the third server")
        await nats.cluster.bring_back(ending_pod(nats, f"{NAME}-0"))
        await nats.cluster.ready()
        assert (await nats.ask("/healthz?js-server-only=true", 2))["status"] == "ok"


def ending_pod(nats: Nats, name: str) -> Any:
    """A pod that was removed, to be brought back under its name."""
    (pod,) = [one for one in nats.cluster._made if one.name == name]
    return pod


async def _switch(bus: Bus) -> int:
    event = SendingSwitched(
        id=secrets.token_hex(8), at=datetime.now(UTC), channel="", conversation="", paused=False, reason="a test"
    )
    return await bus.publish(topology.switch(""), event)


async def _switched_again(bus: Bus) -> bool:
    try:
        return await _switch(bus) > 0
    except BROKER_TROUBLE:
        return False


def _consumer(page: Any, durable: str) -> Any:
    (account,) = page["account_details"]
    found = [
        consumer
        for stream in account["stream_detail"]
        for consumer in stream.get("consumer_detail", [])
        if consumer["name"] == durable
    ]
    assert len(found) == 1, f"{durable}: {len(found)}"
    return found[0]
