"""The jobs about learning and usage as the table of them says; and settings that make no sense."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from daemon import CatchUp, Cron, Overlap, Priority, catalogue
from daemon.catalogue import Catalogue
from daemon.settings import Settings as Engine
from workers.tutoring.settings import Settings

C, H, M, L = Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW
LATEST, EACH = CatchUp.LATEST, CatchUp.EACH
TABLE = [
    ("execution_log_cleanup", "0 5 * * *", L, 120, LATEST, 0, ()),
    ("cache_cleanup", "0 */6 * * *", L, 120, LATEST, 0, ()),
    ("daily_memory_cleanup", "0 0 * * *", H, 300, LATEST, 0, ()),
    ("usage_analysis", "0 1 * * *", M, 600, EACH(31), 1, ()),
    ("automated_backup", "0 3 * * *", C, 3600, LATEST, 0, ("tutoring.usage_analysis",)),
    ("profile_refresh", "0 4 * * *", M, 900, LATEST, 0, ("tutoring.automated_backup",)),
    ("database_maintenance", "0 2 * * 6", H, 3600, LATEST, 0, ()),
    ("weekly_summary_generation", "0 0 * * 0", M, 3600, EACH(8), 0, ("tutoring.daily_memory_cleanup",)),
    ("archive_conversations", "0 2 15 * *", M, 1800, LATEST, 0, ()),
    ("monthly_quota_reset", "0 0 1 * *", C, 60, EACH(12), 0, ()),
]


@pytest.fixture(scope="module")
def jobs() -> Catalogue:
    return catalogue.load(Engine(suites=("workers.tutoring",)))


@pytest.mark.parametrize(("name", "cron", "priority", "timeout", "catch_up", "offset", "requires"), TABLE)
def test_each_is_as_the_table_says(
    jobs: Catalogue, name: str, cron: str, priority: Priority, timeout: int, catch_up: CatchUp, offset: int,
    requires: tuple[str, ...],
) -> None:  # fmt: skip
    job = jobs.resolve(name.replace("_", "-"))
    assert (job.name, job.trigger) == (f"tutoring.{name}", Cron(cron, tz="UTC"))
    assert (job.priority, job.timeout, job.catch_up) == (priority, timedelta(seconds=timeout), catch_up)
    assert (job.business_day_offset, job.requires, job.retries) == (offset, requires, None)
    assert job.overlap is (Overlap.QUEUE if catch_up.is_each else Overlap.SKIP)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cleanup": {"memory_months": 0}},
        {"cleanup": {"archive_days": 90}},
        {"cleanup": {"memory_month": 8}},
        {"profiles": {"look_back_days": 121}},
        {"usage": {"error_pct": 0}},
        {"usage": {"share_pct": 50}},
        {"keys": {"openai": "two words"}},
        {"keys": {"openai": ""}},
        {"keys": {"openai": "line\nend"}},
    ],
)
def test_a_setting_that_would_do_harm_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_no_conversation_is_archived_that_a_profile_may_still_look_at() -> None:
    furthest = Settings(cleanup={"archive_days": 120}, profiles={"look_back_days": 120})  # type: ignore[arg-type]
    assert furthest.cleanup.archive_days >= furthest.profiles.look_back_days


def test_a_key_is_never_shown() -> None:
    assert "s3cret" not in repr(Settings(keys={"openai": "s3cret"}))  # type: ignore[dict-item]
