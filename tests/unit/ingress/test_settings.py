"""What ingress refuses to begin with."""

from __future__ import annotations

import pytest

from parley_common.settings import SettingsError
from parley_ingress.settings import read_public_url


@pytest.mark.parametrize("host", ["sms.example.com:80a", "sms.example.com:99999", "[::1"])
def test_a_public_address_that_cannot_be_is_named(host: str) -> None:
    with pytest.raises(SettingsError, match="PARLEY_PUBLIC_URL has a host or port that cannot be"):
        read_public_url({"PARLEY_PUBLIC_URL": f"https://{host}"})
