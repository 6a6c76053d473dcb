"""What the admin's settings refuse: being reachable without a secret, and secrets that are short."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from daemon import config
from daemon.admin_settings import AdminSettings

SECRET = "0123456789abcdef0123456789abcdef"


def read(environment: dict[str, str], path: Path | None = None) -> AdminSettings:
    return config.load(path, environment)[0].admin


def test_by_default_only_this_machine_reaches_the_admin() -> None:
    settings = read({})
    assert (settings.enabled, settings.loopback, settings.two_person) == (True, True, False)
    assert settings.session == timedelta(hours=12)


@pytest.mark.parametrize("listen", ["0.0.0.0:8300", "[::]:8300", "10.1.2.3:0", "admin.example.org:8300"])
def test_where_others_reach_it_a_secret_is_needed(listen: str) -> None:
    with pytest.raises(config.ConfigError, match=re.escape(f"listen = {listen!r} can be reached from other machines")):
        read({"SEXTON_ADMIN__LISTEN": listen})
    assert not read({"SEXTON_ADMIN__LISTEN": listen, "JWT_SECRET": SECRET}).loopback


@pytest.mark.parametrize("listen", ["127.0.0.1:8300", "[::1]:0", "localhost:8300", "off"])
def test_on_this_machine_alone_it_is_not(listen: str) -> None:
    assert read({"SEXTON_ADMIN__LISTEN": listen}).jwt_secret.get_secret_value() == ""


def test_a_short_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(config.ConfigError) as refusal:
        read({"JWT_SECRET": SECRET[:-1]})
    assert str(refusal.value) == (
        "environment (JWT_SECRET): admin.jwt_secret = (not shown): has 31 octets, and at least 32 are needed: "
        "make one with `openssl rand -hex 32`"
    )


def test_a_secret_is_measured_in_octets() -> None:
    assert read({"JWT_SECRET": "é" * 16}).jwt_secret.get_secret_value() == "é" * 16


def test_a_systemd_credential_beats_the_environment(tmp_path: Path) -> None:
    (tmp_path / "jwt_secret").write_text(f"{SECRET[::-1]}\n", encoding="utf-8")
    (tmp_path / "other").write_text("not ours", encoding="utf-8")
    settings = read({"JWT_SECRET": SECRET, "CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert settings.jwt_secret.get_secret_value() == SECRET[::-1]


def test_our_own_name_beats_the_usual_one() -> None:
    settings = read({"JWT_SECRET": SECRET, "SEXTON_ADMIN__JWT_SECRET": SECRET * 2})
    assert settings.jwt_secret.get_secret_value() == SECRET * 2


def test_proxies_are_addresses_or_networks(tmp_path: Path) -> None:
    assert read({"SEXTON_ADMIN__PROXIES": "10.0.0.7, fd00::/8"}).proxies == ("10.0.0.7", "fd00::/8")
    with pytest.raises(config.ConfigError, match="write an address or a network"):
        read({"SEXTON_ADMIN__PROXIES": "proxy.example.org"})
