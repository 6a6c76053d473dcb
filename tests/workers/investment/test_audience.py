"""Who is told, and how a section of the configuration that cannot work is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from workers.investment.settings import Settings


def test_nothing_need_be_set() -> None:
    settings = Settings()
    assert settings.administrators == ()
    assert settings.health.database_ms.warning == 500
    assert settings.cleanup.notification_days == 90
    assert settings.notifications.page == 10_000


def test_a_section_is_what_the_configuration_file_has() -> None:
    settings = Settings.model_validate({
        "administrators": ["ada@example.org"],
        "health": {"disk_free_pct": {"warning": 20, "critical": 10}, "disks": ["/var/lib/postgresql"]},
        "cleanup": {"session_hours": 48, "require_backup_within_hours": 26},
        "notifications": {"retry_failed_after_hours": 0},
    })  # fmt: skip
    assert settings.health.disk_free_pct.critical == 10
    assert settings.health.load_per_core.critical == 3
    assert settings.cleanup.require_backup_within_hours == 26


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"administrators": ["ada"]}, "pattern"),
        ({"administrators": ["a@b\nBcc: c@d"]}, "pattern"),
        ({"administrators": ["Ada <a@b>"]}, "pattern"),
        ({"administrators": ["a@b, c@d"]}, "pattern"),
        ({"administrators": ["a" * 250 + "@example.org"]}, "254"),
        ({"administrators": "ada@example.org"}, "tuple"),
        ({"notifications": {"page": 0}}, "greater than 0"),
        ({"notifications": {"retry_failed_after_hours": 25}}, "less than or equal to 24"),
        ({"notifications": {"stale_after_hours": 0}}, "greater than 0"),
        ({"health": {"disk_free_pct": {"warning": 5, "critical": 10}}}, "less is worse"),
        ({"cleanup": {"health_check_days": 30}}, "greater than 31"),
        ({"top_plans": 0}, "greater than or equal to 1"),
        ({"audit_days": 0}, "greater than or equal to 1"),
        ({"administrator": ["a@b"]}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate(given)
