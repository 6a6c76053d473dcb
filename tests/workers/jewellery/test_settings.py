"""What an operator writes wrongly is told at the start, and no secret is shown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from workers.jewellery.settings import RazorpaySettings, Settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key_id": "rzp_1"}, "key_id and key_secret go together"),
        ({"auto_capture": True}, "auto_capture needs key_id"),
        ({"webhook_secrets": [""]}, "an empty secret, which anybody could sign with"),
        ({"base_url": "http://api.razorpay.com/v1"}, "it begins with https://"),
        ({"base_url": "https://key:secret@api.razorpay.com/v1"}, "credentials go into key_id and key_secret"),
        ({"base_url": "https://api.razorpay.com:99999"}, "this is no address"),
        ({"per_second": 0}, "greater than 0"),
    ],
)
def test_what_could_not_work_is_refused_with_its_remedy(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RazorpaySettings(**given)


def test_the_way_to_this_machine_needs_no_tls() -> None:
    assert RazorpaySettings(base_url="http://127.0.0.1:8080/v1").base_url == "http://127.0.0.1:8080/v1"


def test_secrets_are_lists_in_files_and_in_the_environment_and_are_never_shown() -> None:
    settings = Settings(razorpay={"webhook_secrets": "new-one, old-one\n"})  # type: ignore[arg-type]
    assert [s.get_secret_value() for s in settings.razorpay.webhook_secrets] == ["new-one", "old-one"]
    assert "new-one" not in repr(settings)


def test_a_state_that_no_order_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="revenue_statuses"):
        Settings(revenue_statuses="PAID")  # type: ignore[arg-type]
