"""The outbox over HTTP: found, sent again, held back; who is not written to any more."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx

from tests.daemon.actions_house import audit
from tests.daemon.admin.house import House

OUTBOX = "/api/v1/outbox"


def good(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def leave(connection: asyncpg.Connection, state: str, **columns: Any) -> int:
    row = {"suite": "tea", "recipient": "42", "template": "cup", "data": '{"n": 1}', "state": state, **columns}
    row.setdefault("dedupe_key", f"key-{state}-{len(await connection.fetch('SELECT id FROM sexton.outbox'))}")
    names, places = ", ".join(row), ", ".join(f"${n}" for n in range(1, len(row) + 1))
    message: int = await connection.fetchval(
        f"INSERT INTO sexton.outbox ({names}) VALUES ({places}) RETURNING id", *row.values()
    )
    return message


async def state_of(connection: asyncpg.Connection, message: int) -> str:
    state: str = await connection.fetchval("SELECT state FROM sexton.outbox WHERE id = $1", message)
    return state


async def test_messages_are_found_by_whose_they_are(open_house: House, connection: asyncpg.Connection) -> None:
    mine = await leave(connection, "failed", last_error="550 no such user")
    await leave(connection, "sent", recipient="7")
    mail = await leave(connection, "sent", recipient=None, address="Ada@example.org", channel="email")
    get = open_house.viewer.get
    (found,) = good(await get(OUTBOX, params={"to": "42"}))["items"]
    assert (found["id"], found["last_error"], "data" in found) == (mine, "550 no such user", False)
    assert [m["id"] for m in good(await get(OUTBOX, params={"to": "ada@example.org"}))["items"]] == [mail]
    assert [m["id"] for m in good(await get(OUTBOX, params={"to": "key-failed-0"}))["items"]] == [mine]
    assert len(good(await get(OUTBOX, params={"state": ["sent"], "suite": "tea", "channel": "email"}))["items"]) == 2
    assert good(await get(f"{OUTBOX}/{mine}"))["data"] == {"n": 1}
    assert (await get(f"{OUTBOX}/999")).status_code == 404


async def test_what_did_not_go_out_is_tried_anew(
    open_house: House, connection: asyncpg.Connection, heard: list[str]
) -> None:
    failed = await leave(connection, "failed", failures=8, attempts=8, last_error="timeout")
    unknown = await leave(connection, "unknown", channel="sms")
    told = good(await open_house.operator.post(f"{OUTBOX}/resend", json={"messages": [failed, unknown]}))
    assert [(m["id"], m["state"], m["failures"]) for m in told] == [(failed, "pending", 0), (unknown, "pending", 0)]
    entries = [row for row in await audit(connection) if row["action"] == "resend message"]
    assert [(row["target"], row["before"]["state"]) for row in entries] == [
        (f"message {failed}", "failed"), (f"message {unknown}", "unknown"),
    ]  # fmt: skip
    assert "outbox" in heard


async def test_what_was_sent_is_sent_again_only_on_purpose(open_house: House, connection: asyncpg.Connection) -> None:
    sent, failed = await leave(connection, "sent"), await leave(connection, "failed")
    post = open_house.operator.post
    refused = await post(f"{OUTBOX}/resend", json={"messages": [sent, failed]})
    assert (refused.status_code, len(refused.json()["problems"])) == (409, 1)
    assert await state_of(connection, failed) == "failed"
    assert (await post(f"{OUTBOX}/resend", json={"messages": [sent], "again": True})).status_code == 422
    again = {"messages": [sent], "again": True, "reason": "the mailbox was lost"}
    assert good(await post(f"{OUTBOX}/resend", json=again))[0]["state"] == "pending"


async def test_what_has_not_gone_out_is_held_back(open_house: House, connection: asyncpg.Connection) -> None:
    pending, sent = await leave(connection, "pending"), await leave(connection, "sent")
    (told,) = good(await open_house.operator.post(f"{OUTBOX}/suppress", json={"messages": [pending]}))
    assert (told["state"], told["last_error"]) == ("suppressed", "suppressed by otto")
    refused = await open_house.operator.post(f"{OUTBOX}/suppress", json={"messages": [sent, 999]})
    assert refused.json()["problems"] == ["there is no message 999", f"message {sent} is sent"]


async def test_a_recipient_is_written_to_no_more_and_again(open_house: House, connection: asyncpg.Connection) -> None:
    whom = {"suite": "tea", "recipient": "42", "channel": "email"}
    good(await open_house.operator.put("/api/v1/suppressions", json={**whom, "reason": "asked on the phone"}))
    (listed,) = good(await open_house.viewer.get("/api/v1/suppressions"))["items"]
    assert (listed["recipient"], listed["reason"]) == ("42", "suppressed by otto: asked on the phone")
    good(await open_house.operator.delete("/api/v1/suppressions", params=whom))
    assert good(await open_house.viewer.get("/api/v1/suppressions"))["items"] == []
    assert (await open_house.operator.delete("/api/v1/suppressions", params=whom)).status_code == 404
    assert [r["action"] for r in await audit(connection)][-2:] == ["suppress recipient", "unsuppress recipient"]
