"""Connection overrides in the fragment of a webhook URL."""

import pytest

from parley_simulator.overrides import ALL_FAILURES, Failure, Overrides, split_overrides


def test_without_a_fragment_twilios_defaults_hold() -> None:
    assert split_overrides("https://example.com/sms?a=b") == ("https://example.com/sms?a=b", Overrides())
    assert Overrides().policy == {Failure.CONNECT}
    assert (Overrides().retries, Overrides().total_s) == (1, 15.0)


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        pytest.param("rc=5&rp=all", Overrides(retries=5, policy=ALL_FAILURES), id="all"),
        pytest.param(
            "rc=2&rp=5xx,ct,rt",
            Overrides(retries=2, policy=frozenset({Failure.SERVER_STATUS, Failure.CONNECT, Failure.READ})),
            id="a list",
        ),
        pytest.param("rp=4xx", Overrides(policy=frozenset({Failure.CLIENT_STATUS})), id="one"),
        pytest.param("ct=2000&rt=3000&tt=9000", Overrides(connect_s=2, read_s=3, total_s=9), id="limits"),
        pytest.param("rc=9&tt=60000&ct=1", Overrides(retries=5, total_s=15, connect_s=0.1), id="out of bounds"),
        pytest.param("rc=x&rp=maybe&tt=-1&e=dublin", Overrides(), id="nonsense"),
    ],
)
def test_a_fragment_is_read_and_cut_off(fragment: str, expected: Overrides) -> None:
    assert split_overrides(f"https://example.com/sms#{fragment}") == ("https://example.com/sms", expected)
