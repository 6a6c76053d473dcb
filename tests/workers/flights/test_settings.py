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
        ({"pinot_url": "broker:8099"}, "pattern"),
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


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Settings(pinot_user="u", pinot_password="s3cret"))
