"""What is strictly older than its age goes; what must be kept moves; money is never touched."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from daemon.backup.manifest import Manifest, StoredFile
from daemon.backup.shelf import Shelf
from tests.workers.investment.house import House
from workers.investment.data_cleanup import data_cleanup

NIGHT = datetime(2026, 11, 22, 2, tzinfo=ZoneInfo("Asia/Kolkata"))
INSTANT = timedelta(microseconds=1)
NOTHING = {
    "process_logs": 0, "sessions": 0, "notifications": 0, "completed_investments": 0, "orphans": 0,
    "system_settings": 0, "left_behind": {"notifications": 0, "investments": 0},
}  # fmt: skip


@pytest.fixture
async def house(url: str, connection: asyncpg.Connection) -> House:
    house = House(url, connection)
    await house.user(1)
    await house.plan()
    return house


async def clean(house: House, at: datetime = NIGHT, **cleanup: Any) -> dict[str, Any]:
    run = await house.perform(data_cleanup, at, settings={"cleanup": cleanup})
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def note(house: House, at: datetime, **more: Any) -> None:
    values = {"user_id": 1, "kind": "transactional", "title": "t", "body": "b", "fanned_out_at": at} | more
    await house.insert("notification", created_at=at, **values)


async def setting(house: House, key: str, at: datetime, class_: str = "ephemeral") -> None:
    await house.insert("system_setting", key=key, value="{}", updated_at=at, **{"class": class_})


async def test_an_empty_house_has_nothing_to_clean(house: House) -> None:
    assert await clean(house) == NOTHING


async def test_what_is_exactly_as_old_stays_and_what_is_older_goes(house: House) -> None:
    for old in (timedelta(0), INSTANT):
        suffix = old.microseconds
        await setting(house, f"process_log_x_{suffix}", NIGHT - timedelta(days=30) - old)
        await house.insert("session", user_id=1, expires_at=NIGHT - timedelta(hours=24) - old)
        await note(house, NIGHT - timedelta(days=90) - old)
        await setting(house, f"cache_{suffix}", datetime(2026, 5, 22, 2, tzinfo=NIGHT.tzinfo) - old)
        at = NIGHT - timedelta(days=90) - old
        await house.insert("health_check", checked_at=at, severity="ok", checks="{}")
    for id_, last in ((1, date(2025, 11, 22)), (2, date(2025, 11, 21))):
        await house.invest(id_, 1, on=date(2025, 1, 1), until=last, status="COMPLETED")
    assert await clean(house) == NOTHING | {
        "process_logs": 2, "sessions": 1, "notifications": 1, "completed_investments": 1, "system_settings": 1,
    }  # fmt: skip
    assert await house.rows("SELECT key FROM investment.system_setting ORDER BY 1") == [
        ("cache_0",), ("process_log_x_0",),
    ]  # fmt: skip
    assert await house.rows("SELECT id FROM investment.investment") == [(1,)]
    assert await clean(house, NIGHT - INSTANT) == NOTHING


async def test_months_are_of_the_suites_calendar(house: House) -> None:
    """Half a year before 31 August is the end of February, in India's night."""
    night = datetime(2026, 8, 31, 2, tzinfo=NIGHT.tzinfo)
    await setting(house, "kept", datetime(2026, 2, 27, 20, 30, tzinfo=UTC))
    await setting(house, "gone", datetime(2026, 2, 27, 20, 29, 59, tzinfo=UTC))
    assert (await clean(house, night))["system_settings"] == 1
    assert await house.rows("SELECT key FROM investment.system_setting") == [("kept",)]


async def test_on_29_february_a_year_ago_is_the_28th(house: House) -> None:
    for id_, last in ((1, date(2027, 2, 28)), (2, date(2027, 2, 27))):
        await house.invest(id_, 1, on=date(2026, 1, 1), until=last, status="COMPLETED")
    result = await clean(house, datetime(2028, 2, 29, 2, tzinfo=NIGHT.tzinfo))
    assert result["completed_investments"] == 1
    assert await house.rows("SELECT id FROM investment.investment_archive") == [(2,)]


async def test_live_settings_never_go_however_old(house: House) -> None:
    await setting(house, "currency", datetime(2001, 1, 1, tzinfo=UTC), class_="config")
    await setting(house, "process_log_of_old", datetime(2001, 1, 1, tzinfo=UTC), class_="config")
    assert await clean(house) == NOTHING
    assert await house.count("system_setting") == 2


async def test_an_archived_row_is_the_same_row(house: House) -> None:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    await note(house, at, title="Hello", is_read=True, channel="sms", fanned_out_to=7)
    await house.invest(
        9, 1, "123.45", on=date(2024, 1, 1), until=date(2024, 3, 1), status="COMPLETED", paid_total=9, currency="USD"
    )
    columns = "id, user_id, plan_id, activated_on, last_accrual_on, principal, paid_total, currency, status, created_at"
    investment = await house.rows(f"SELECT {columns} FROM investment.investment")
    notes = await house.rows("SELECT * FROM investment.notification")
    await clean(house)
    assert await house.rows(f"SELECT {columns} FROM investment.investment_archive") == investment
    assert [row[:-1] for row in await house.rows("SELECT * FROM investment.notification_archive")] == notes
    assert (await house.count("investment"), await house.count("notification")) == (0, 0)


async def test_disputed_parked_active_and_unsent_ones_stay(house: House) -> None:
    for id_ in (1, 2, 3):
        await house.invest(id_, 1, on=date(2020, 1, 1), until=date(2021, 1, 1), status="COMPLETED")
    await house.invest(4, 1, on=date(2020, 1, 1), until=date(2021, 1, 1), status="ACTIVE")
    await house.insert("dispute", investment_id=1, opened_at=datetime(2026, 1, 1, tzinfo=UTC))
    await house.insert("dispute", investment_id=3, opened_at=datetime(2026, 1, 1, tzinfo=UTC),
                       closed_at=datetime(2026, 2, 1, tzinfo=UTC))  # fmt: skip
    await house.insert("parked_payout", accrual_date=date(2020, 5, 5), investment_id=2, reason="r", run_id=1)
    await note(house, datetime(2026, 1, 1, tzinfo=UTC), fanned_out_at=None)
    result = await clean(house)
    assert result == NOTHING | {
        "completed_investments": 1, "left_behind": {"notifications": 1, "investments": 2},
    }  # fmt: skip
    assert await house.rows("SELECT id FROM investment.investment ORDER BY id") == [(1,), (2,), (4,)]


async def test_nothing_is_lost_when_the_archive_has_the_id_already(house: House) -> None:
    for table in ("investment", "investment_archive"):
        await house.connection.execute(
            f"INSERT INTO investment.{table} (id, user_id, plan_id, activated_on, last_accrual_on, principal, "
            "paid_total, currency, status, created_at) VALUES (5, 1, 1, '2020-01-01', '2020-02-01', "
            f"{10 if table == 'investment' else 20}, 0, 'INR', 'COMPLETED', now())"
        )
    assert (await clean(house))["left_behind"]["investments"] == 1
    assert (await house.count("investment"), await house.count("investment_archive")) == (1, 1)


async def test_orphans_go_and_their_elders_stay(house: House) -> None:
    later = NIGHT + timedelta(days=1)
    await house.insert("session", user_id=77, expires_at=later)
    await house.insert("session", user_id=1, expires_at=later)
    await note(house, NIGHT, user_id=77)
    await note(house, NIGHT, user_id=None)
    assert (await clean(house))["orphans"] == 2
    assert await house.rows("SELECT user_id FROM investment.session") == [(1,)]
    assert await house.rows("SELECT user_id FROM investment.notification") == [(None,)]


async def test_money_is_never_touched(house: House) -> None:
    """A distribution without commission, of an archived investment, and its ledger row: all older than anything."""
    day = date(2020, 1, 2)
    await house.invest(1, 1, on=date(2020, 1, 1), until=date(2020, 2, 1), status="COMPLETED")
    await house.insert("accrual_day", accrual_date=day, state="PAID", run_id=1)
    await house.insert("roi_distribution", accrual_date=day, investment_id=1, user_id=1, run_id=1, rate=0.01,
                       amount=10, currency="INR")  # fmt: skip
    await house.book(1, "ROI", "10.00", datetime(2020, 1, 3, tzinfo=UTC))
    tables = ("ledger", "wallet", "roi_distribution", "commission", "accrual_day", "app_user", "plan", "plan_rate")
    before = {table: await house.rows(f"SELECT * FROM investment.{table}") for table in tables}
    assert (await clean(house))["completed_investments"] == 1
    assert {table: await house.rows(f"SELECT * FROM investment.{table}") for table in tables} == before


async def test_many_rows_go_in_batches_and_none_is_left(house: House) -> None:
    await house.connection.execute(
        "INSERT INTO investment.session (user_id, expires_at) SELECT 1, '2020-01-01' FROM generate_series(1, 2500)"
    )
    assert (await clean(house, batch=1000))["sessions"] == 2500
    assert await house.count("session") == 0


async def test_a_retry_goes_on_and_reports_what_the_first_try_removed(house: House) -> None:
    await house.insert("session", user_id=1, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await note(house, datetime(2020, 1, 1, tzinfo=UTC))
    await house.connection.execute("ALTER TABLE investment.notification_archive ADD CHECK (title <> 't')")
    first = await house.perform(data_cleanup, NIGHT)
    assert first.ending == "failed"
    assert await house.count("notification") == 1
    await house.connection.execute(
        "ALTER TABLE investment.notification_archive DROP CONSTRAINT notification_archive_title_check"
    )
    again = await house.perform(data_cleanup, NIGHT, resume=first.id)
    assert again.result == NOTHING | {"sessions": 1, "notifications": 1}
    assert await house.count("run_tally") == 0


async def test_two_at_once_remove_each_row_once(house: House) -> None:
    await house.connection.execute(
        "INSERT INTO investment.notification (user_id, kind, title, body, created_at, fanned_out_at)"
        " SELECT 1, 'alert', 't', 'b', '2020-01-01', '2020-01-01' FROM generate_series(1, 3000)"
    )
    results = await asyncio.gather(
        *(clean(house, NIGHT + timedelta(seconds=n), batch=100) for n in range(3)), return_exceptions=False
    )
    assert sum(result["notifications"] for result in results) == 3000
    assert await house.count("notification_archive") == 3000


@pytest.mark.parametrize(
    ("verified", "message"),
    [
        (None, "is none"),
        (timedelta(hours=24, seconds=1), "is of 2026-11-20 20:29 UTC"),
        (-timedelta(hours=1), "is none"),
    ],
)
async def test_without_a_young_verified_backup_nothing_goes(
    house: House, verified: timedelta | None, message: str
) -> None:
    await house.insert("session", user_id=1, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    if verified is not None:
        await house.insert("verified_backup", finished_at=NIGHT - verified, verified_at=NIGHT - verified)
    run = await house.perform(data_cleanup, NIGHT, settings={"cleanup": {"require_backup_within_hours": 24}})
    assert run.ending == "failed"
    assert message in str(run.error)
    assert await house.count("session") == 1


async def test_with_one_it_goes(house: House) -> None:
    await house.insert("session", user_id=1, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await house.insert("verified_backup", finished_at=NIGHT - timedelta(hours=24), verified_at=NIGHT)
    assert (await clean(house, require_backup_within_hours=24))["sessions"] == 1


async def test_a_verified_backup_of_the_engine_counts_as_well_and_an_unverified_one_does_not(
    house: House, tmp_path: Path
) -> None:
    await house.insert("session", user_id=1, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    manifest = Manifest(
        taken_at=NIGHT - timedelta(hours=24), database="x", postgresql="17.10", pg_dump="17.10", compression="zstd",
        migrations={}, tables=(), objects={}, files=(StoredFile(path="data/toc.dat", bytes=0, sha256=""),),
    )  # fmt: skip
    (tmp_path / "20261120T203000Z").mkdir()
    (tmp_path / "20261120T203000Z/manifest.json").write_text(manifest.text)
    options: dict[str, Any] = {
        "settings": {"cleanup": {"require_backup_within_hours": 24}}, "backup": {"directory": str(tmp_path)},
    }  # fmt: skip
    run = await house.perform(data_cleanup, NIGHT, **options)
    assert "the newest verified backup is none" in str(run.error)
    Shelf(tmp_path).mark_verified("20261120T203000Z", manifest.digest, NIGHT)
    assert (await house.perform(data_cleanup, NIGHT, resume=run.id, **options)).ending == "succeeded"
    assert await house.count("session") == 0
