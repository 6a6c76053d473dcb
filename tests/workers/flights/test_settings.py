from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from workers.flights.settings import Settings


def test_nothing_need_be_set() -> None:
    assert Settings().positions == "postgres"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"positions": "pinot"}, "needs pinot_url"),
        ({"pinot_url": "broker:8099"}, "http:// or https://"),
        ({"pinot_url": "ftp://broker:8099"}, "http:// or https://"),
        ({"pinot_url": "http://broker:8o99"}, "the port is no number"),
        ({"pinot_url": "http://broker:99999"}, "the port is no number"),
        ({"pinot_url": "http://[::1"}, "no address"),
        ({"pinot_url": "http://:8099"}, "names no broker"),
        ({"pinot_url": "http://bro ker:8099"}, "has a space"),
        ({"pinot_url": "http://broker:8099/?a=b"}, "nothing after the path"),
        ({"pinot_url": "http://u:s3cret@broker:8099"}, "pinot_user and pinot_password"),
        ({"pinot_token": "two words"}, "printable ASCII"),
        ({"pinot_token": "s3cret\n"}, "printable ASCII"),
        ({"pinot_token": "sécret"}, "printable ASCII"),
        ({"pinot_token": ""}, "printable ASCII"),
        ({"pinot_user": "u"}, "go together"),
        ({"pinot_user": "u", "pinot_password": "p", "pinot_token": "t"}, "exclude each other"),
        ({"invoice_series": "CN"}, "series of their own"),
        ({"invoice_series": "toolong"}, "pattern"),
        ({"pinot_table": "x; DROP"}, "pattern"),
        ({"earth_model": "flat"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**given)


@pytest.mark.parametrize("url", ["http://broker", "https://broker:8099/", "http://[::1]:8099", "http://proxy/pinot"])
def test_a_broker_may_be_behind_a_path_or_an_address(url: str) -> None:
    assert Settings(positions="pinot", pinot_url=url).pinot_url == url


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Settings(pinot_user="u", pinot_password="s3cret"))
