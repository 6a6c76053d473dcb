"""The platform's notifications become messages: each person once, however often and however interrupted."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.investment.house import House
from workers.investment.notification_processing import notification_processing

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
NOTHING = {"stale": 0, "personal": 0, "to_nobody": 0, "to_all": 0, "retried": 0, "channels": {}}


@pytest.fixture
def house(url: str, connection: asyncpg.Connection) -> House:
    return House(url, connection)


async def process(house: House, at: datetime = NOON, **notifications: Any) -> dict[str, Any]:
    run = await house.perform(notification_processing, at, settings={"notifications": notifications})
    assert (run.ending, run.error) == ("succeeded", None)
    result: dict[str, Any] = run.result
    return result


async def note(house: House, id_: int, user: int | None, **more: Any) -> None:
    values = {"kind": "transactional", "title": f"title {id_}", "body": "body", "created_at": NOON, **more}
    await house.insert("notification", id=id_, user_id=user, **values)


async def test_without_notifications_nothing_is_written_but_the_run(house: House) -> None:
    assert await process(house) == NOTHING


async def test_a_notification_to_all_reaches_every_active_person_once(house: House) -> None:
    for id_ in range(1, 8):
        await house.user(id_)
    await house.connection.execute("UPDATE investment.app_user SET status = 'DELETED' WHERE id = 3")
    await house.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED' WHERE id = 4")
    await house.user(8, created_at=NOON + timedelta(seconds=1))
    await note(house, 5, None, kind="promotional")
    assert (await process(house))["to_all"] == 5
    assert await house.keys() == [f"sys:5:{user}" for user in (1, 2, 5, 6, 7)]
    first = (await house.messages())[0]
    assert (first["suite"], first["recipient"], first["channel"], first["kind"], first["template"]) == (
        "investment", "1", "email", "promotional", "notification",
    )  # fmt: skip
    assert json.loads(first["data"]) == {"title": "title 5", "body": "body"}
    assert (await process(house, NOON + timedelta(minutes=5)))["to_all"] == 0


@pytest.mark.parametrize("people", [0, 1, 2, 3, 4, 6])
async def test_pages_neither_skip_nor_repeat_at_their_edges(house: House, people: int) -> None:
    for id_ in range(10, 10 + people):
        await house.user(id_)
    await note(house, 1, None)
    assert (await process(house, page=2))["to_all"] == people
    assert len(set(await house.keys())) == people
    ((done,),) = await house.rows("SELECT fanned_out_at IS NOT NULL FROM investment.notification")
    assert done


async def test_a_retry_goes_on_behind_the_last_page_that_was_committed(house: House) -> None:
    for id_ in range(1, 8):
        await house.user(id_)
    await note(house, 1, None)
    await house.connection.execute("ALTER TABLE sexton.outbox ADD CONSTRAINT stop CHECK (recipient <> '5')")
    first = await house.perform(notification_processing, NOON, settings={"notifications": {"page": 2}})
    assert first.ending == "failed"
    assert await house.keys() == [f"sys:1:{user}" for user in (1, 2, 3, 4)]
    await house.connection.execute("ALTER TABLE sexton.outbox DROP CONSTRAINT stop")
    again = await house.perform(
        notification_processing, NOON, settings={"notifications": {"page": 2}}, resume=first.id
    )  # fmt: skip
    assert again.result["to_all"] == 7
    assert await house.keys() == [f"sys:1:{user}" for user in range(1, 8)]


async def test_two_at_once_write_to_everybody_once(house: House) -> None:
    for id_ in range(1, 31):
        await house.user(id_)
    await note(house, 1, None)
    await note(house, 2, 7)
    results = await asyncio.gather(*(process(house, NOON + timedelta(seconds=n), page=5) for n in range(3)))
    assert sum(result["to_all"] for result in results) == 30
    assert sum(result["personal"] for result in results) == 1
    assert len(await house.keys()) == 31


async def test_a_personal_notification_reaches_its_person_by_its_channel(house: House) -> None:
    await house.user(1, phone="+919800000001")
    await house.user(2)
    await house.connection.execute("UPDATE investment.app_user SET status = 'SUSPENDED' WHERE id = 2")
    await note(house, 1, 1, channel="sms", kind="security")
    await note(house, 2, 2)
    result = await process(house)
    assert (result["personal"], result["to_nobody"]) == (2, 0)
    rows = [(m["dedupe_key"], m["recipient"], m["channel"], m["kind"]) for m in await house.messages()]
    assert rows == [("note:1", "1", "sms", "security"), ("note:2", "2", "email", "transactional")]


async def test_who_is_gone_or_has_no_telephone_is_not_written_to_and_counted(house: House) -> None:
    await house.user(1)
    await house.user(2, status="DELETED")
    await note(house, 1, 1, channel="sms")
    await note(house, 2, 2)
    await note(house, 3, 99)
    result = await process(house)
    assert (result["personal"], result["to_nobody"]) == (0, 3)
    assert await house.value("SELECT count(*) FROM investment.notification WHERE fanned_out_at IS NULL") == 0


async def test_keys_that_the_outbox_has_purged_are_not_sent_again(house: House) -> None:
    await house.user(1)
    await note(house, 1, None)
    await note(house, 2, 1)
    await house.connection.execute(
        "INSERT INTO sexton.outbox_key (hash) VALUES (sha256('sys:1:1'::bytea)), (sha256('note:2'::bytea))"
    )
    result = await process(house)
    assert (result["to_all"], result["personal"], await house.keys()) == (0, 0, [])


async def test_old_news_is_sent_to_nobody_but_what_has_begun_is_finished(house: House) -> None:
    for id_ in (1, 2, 3):
        await house.user(id_)
    await note(house, 1, None, created_at=NOON - timedelta(hours=72, seconds=1))
    await note(house, 2, 1, created_at=NOON - timedelta(hours=72, seconds=1))
    await note(house, 3, 1, created_at=NOON - timedelta(hours=72))
    await note(house, 4, None, created_at=NOON - timedelta(hours=80), fanned_out_to=2)
    result = await process(house)
    assert (result["stale"], result["personal"], result["to_all"]) == (2, 1, 1)
    assert await house.keys() == ["note:3", "sys:4:3"]


async def failed(house: House, key: str, ago: timedelta, **more: Any) -> None:
    values = {"suite": "investment", "recipient": "1", "template": "notification", "dedupe_key": key, "state": "failed",
              "failures": 8, "settled_at": NOON - ago, **more}  # fmt: skip
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await house.connection.execute(
        f"INSERT INTO sexton.outbox ({', '.join(values)}) VALUES ({places})", *values.values()
    )


async def test_what_failed_is_left_once_more_after_six_hours(house: House) -> None:
    six = timedelta(hours=6)
    await failed(house, "due", six + timedelta(seconds=1))
    await failed(house, "too young", six)
    await failed(house, "too old", timedelta(hours=31))
    await failed(house, "rejected at once", timedelta(hours=7), failures=1)
    await failed(house, "a code", timedelta(hours=7), kind="security")
    await failed(house, "over", timedelta(hours=7), expires_at=NOON - six)
    await failed(house, "of another suite", timedelta(hours=7), suite="flights")
    await failed(house, "again:retry", timedelta(hours=7))
    assert (await process(house))["retried"] == 1
    assert (await process(house, NOON + timedelta(seconds=1)))["retried"] == 1  # the young one has come of age
    assert (await process(house, NOON + timedelta(seconds=2)))["retried"] == 0
    pending = await house.rows("SELECT dedupe_key, recipient FROM sexton.outbox WHERE state = 'pending' ORDER BY id")
    assert pending == [("due:retry", "1"), ("too young:retry", "1")]


async def test_nothing_is_retried_when_that_is_switched_off(house: House) -> None:
    await failed(house, "due", timedelta(hours=7))
    assert (await process(house, retry_failed_after_hours=0))["retried"] == 0


async def test_the_report_tells_what_waits_and_what_was_settled(house: House) -> None:
    await failed(house, "new", timedelta(minutes=2))
    await failed(house, "old", timedelta(minutes=6))
    await failed(house, "sent", timedelta(minutes=1), state="sent", failures=0)
    await house.user(1, phone="+919800000001")
    await note(house, 1, 1, channel="sms")
    channels = (await process(house))["channels"]
    assert channels["email"] == {"failed": 1, "sent": 1}
    assert channels["sms"]["pending"] == 1
    assert "oldest_pending" in channels["sms"]


async def test_title_and_body_are_escaped_and_the_subject_is_one_line(house: House) -> None:
    await house.user(1)
    await note(house, 1, 1, title="<b>Hi</b>\r\nBcc: x@example.org", body="{{ 7 * 7 }} <script>")
    await process(house)
    ((subject, text, html),) = await house.texts()
    assert subject == "<b>Hi</b> Bcc: x@example.org"
    assert text.strip() == "{{ 7 * 7 }} <script>"
    assert html is not None
    assert "&lt;b&gt;Hi" in html
    assert "<script>" not in html


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.integers(1, 60), unique=True, max_size=25), st.integers(1, 10), st.data())
async def test_whoever_the_people_are_each_gets_one_message(
    house: House, people: list[int], page: int, data: st.DataObject
) -> None:
    await house.connection.execute("TRUNCATE investment.app_user, investment.notification, sexton.outbox CASCADE")
    await house.connection.execute("TRUNCATE sexton.run CASCADE")
    for id_ in people:
        await house.user(id_)
    reached = data.draw(st.one_of(st.none(), st.integers(0, 60)))
    await note(house, 1, None, fanned_out_to=reached)
    await process(house, page=page)
    assert sorted(await house.keys()) == sorted(f"sys:1:{p}" for p in people if p > (reached or 0))
