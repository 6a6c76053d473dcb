"""Addresses in the settings: what is taken, and what is refused before anything tries to use it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.setting_addresses import clashes, database_url, direct_url, is_url, listen_address, parse_listen


@pytest.mark.parametrize("text", ["127.0.0.1:9464", "[::1]:0", "localhost:65535", ":9464", "off"])
def test_a_host_with_a_port_is_an_address_to_listen_on(text: str) -> None:
    assert listen_address(text) == text


@pytest.mark.parametrize("text", ["", "on", "9464", "127.0.0.1", "127.0.0.1:", "h:65536", "h:99999", "h:-1", "h:٣"])
def test_anything_else_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT with a port up to 65535"):
        listen_address(text)


def test_two_listeners_at_one_address_are_named_and_a_port_of_any_kind_is_nobodys() -> None:
    here = {"metrics.listen": "127.0.0.1:9464", "admin.listen": "127.0.0.1:9464", "public.listen": ""}
    assert clashes(here) == ["admin.listen = '127.0.0.1:9464' is metrics.listen, too: choose another port"]
    assert clashes({"metrics.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "public.listen": "[::1]:0"}) == []
    assert clashes({"metrics.listen": "127.0.0.1:9", "admin.listen": "[::1]:9", "public.listen": "127.0.0.1:8"}) == []
    assert clashes({"metrics.listen": "off", "admin.listen": "off"}) == []


@given(st.text() | st.builds("{}:{}".format, st.text(), st.integers(-1, 70_000)))
def test_what_is_taken_can_be_listened_on(text: str) -> None:
    try:
        taken = listen_address(text)
    except ValueError:
        return
    assert taken == "off" or 0 <= parse_listen(taken)[1] <= 65535


@pytest.mark.parametrize(
    "url",
    [
        "postgres:///x", "postgresql://u:p%40@h/d", "postgresql://a:1,b:2/d?target_session_attrs=any",
        "postgresql://[::1]:5432/d", "postgresql://s@/s?host=/tmp/x&port=5432",
    ],
)  # fmt: skip
def test_every_shape_of_a_database_url_is_taken(url: str) -> None:
    assert is_url(url)
    assert database_url(url) == direct_url(url) == url


@pytest.mark.parametrize("url", ["mysql://x", "localhost:5432", "postgresql://h:54x2/d", "postgresql://h:99999/d"])
def test_a_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    for check in (database_url, direct_url):
        with pytest.raises(ValueError, match=r"postgresql://user:password@host:5432/name") as caught:
            check(url)
        assert url not in str(caught.value)


def test_embedded_is_a_database_and_nothing_is_no_way_around_a_pooler() -> None:
    assert database_url("embedded") == "embedded"
    assert direct_url("") == ""
    with pytest.raises(ValueError, match='write "embedded"'):
        database_url("")


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:0", ("::1", 0)), (":9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)), ("metrics.example:80", ("metrics.example", 80)),
    ],
)  # fmt: skip
def test_where_to_listen_is_host_and_port(text: str, parsed: tuple[str, int]) -> None:
    assert parse_listen(text) == parsed


@pytest.mark.parametrize("text", ["9464", "localhost", "localhost:http", "localhost:65536", "", "localhost:"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write HOST:PORT, such as 127\.0\.0\.1:9464"):
        parse_listen(text)
