"""Dead items of a queue and messages of the outbox: one, those chosen, all that match."""

from __future__ import annotations

import asyncpg
from playwright.async_api import expect

from daemon.admin.roles import Role
from tests.daemon.admin.browser.conftest import Visit
from tests.daemon.admin.browser.live_house import live_house
from tests.daemon.admin.browser.visitor import Visitor
from tests.daemon.admin.house import House
from tests.daemon.admin.todo import QUEUE, fill

PAGE = f"/queues/{QUEUE.name}"


async def states(connection: asyncpg.Connection) -> dict[int, str]:
    return {row["id"]: row["state"] for row in await connection.fetch("SELECT id, state FROM public.todo ORDER BY id")}


async def act(visitor: Visitor, opener: str, deed: str, says: str) -> None:
    dialog = await visitor.opens(opener)
    await expect(dialog).to_contain_text(says)
    assert await visitor.hurdles() == []
    await visitor.button(deed, dialog).click()
    await expect(dialog).to_have_count(0)


async def test_dead_items_are_tried_again_one_by_one_and_all_that_match(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    await fill(connection, dead=6, ready=0)
    async with live_house(url, queues=(QUEUE,), claiming=False) as opened:
        visitor = await visit(opened)
        await visitor.go(PAGE)
        again = visitor.button("Try the chosen again…")
        await expect(again).to_be_disabled()
        await visitor.page.get_by_label("choose item 3").check()
        await act(visitor, "Try the chosen again…", "Try again", "1 chosen")
        await expect(visitor.page.get_by_label("choose item 3")).to_have_count(0)
        assert [key for key, state in (await states(connection)).items() if state == "READY"] == [3]
        await visitor.page.get_by_label("Whose error contains").fill("100% empty")
        await visitor.button("Show").click()
        await act(visitor, "Try all that match again…", "Try again", "100% empty”, 3")
        await visitor.sees("None like that.")  # the filter stays
        assert [key for key, state in (await states(connection)).items() if state == "DEAD"] == [1, 5]


async def test_all_of_a_page_are_chosen_at_once_and_discarded(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    await fill(connection, dead=4, ready=1)
    async with live_house(url, queues=(QUEUE,), claiming=False) as opened:
        visitor = await visit(opened)
        await visitor.go(PAGE)
        await visitor.page.get_by_label("choose all of this page").check()
        await visitor.page.get_by_label("choose item 2").uncheck()
        await act(visitor, "Discard the chosen…", "Discard", "3 chosen")
        await expect(visitor.page.get_by_label("choose item 1")).to_have_count(0)
        assert await states(connection) == {2: "DEAD", 5: "READY"}
        await act(visitor, "Discard all…", "Discard", "every dead item, 1")
        await visitor.sees("None.")
        assert await states(connection) == {5: "READY"}


async def test_a_message_is_sent_again_and_one_that_was_sent_only_for_a_reason(
    open_house: House, visit: Visit, connection: asyncpg.Connection
) -> None:
    failed, sent = [
        await connection.fetchval(
            "INSERT INTO sexton.outbox (suite, address, channel, template, kind, dedupe_key, state, settled_at) "
            "VALUES ('test', 'ada@example.com', 'sms', 'hello', 'transactional', $1, $1, sexton.clock()) RETURNING id",
            state,
        )
        for state in ("failed", "sent")
    ]
    visitor = await visit(open_house)
    visitor.refusals |= {409, 422}
    await visitor.go("/outbox?to=ada%40example.com&state=&channel=")
    for message in (failed, sent):
        await visitor.page.get_by_label(f"choose message {message}").check()
    dialog = await visitor.opens("Send again…")
    await visitor.button("Send again", dialog).click()
    await expect(dialog.get_by_role("alert")).to_contain_text(f"message {sent}")
    await dialog.get_by_label("Also those that were sent").check()
    await dialog.get_by_label("Why").fill("she asked for it")
    await visitor.button("Send again", dialog).click()
    await expect(dialog).to_have_count(0)
    await expect(visitor.page.locator("td .badge.pending")).to_have_count(2)


async def test_nobody_is_written_to_who_does_not_want_to_be(
    open_house: House, visit: Visit, connection: asyncpg.Connection
) -> None:
    visitor = await visit(open_house)
    await visitor.go("/outbox/suppressions")
    dialog = await visitor.opens("Write to somebody no more…")
    await dialog.get_by_label("Recipient, or address").fill("ada@example.com")
    await visitor.button("Write no more", dialog).click()
    await visitor.sees("suppressed by otto")
    visitor.page.on("dialog", lambda question: question.accept())
    await visitor.page.get_by_role("button", name="Write again to ada@example.com by email").click()
    await visitor.sees("Nobody.")
    assert await connection.fetchval("SELECT count(*) FROM sexton.suppression") == 0


async def test_an_admin_revokes_a_token_and_its_holder_is_out_at_once(open_house: House, visit: Visit) -> None:
    admin, other = await visit(open_house, Role.ADMIN, name="ada"), await visit(open_house, name="oscar")
    other.refusals.add(401)
    await admin.go("/tokens")
    admin.page.on("dialog", lambda question: question.accept())
    await admin.page.get_by_role("button", name="Revoke oscar").click()
    await expect(admin.page.get_by_role("button", name="Revoke oscar")).to_have_count(0)
    await other.go("/runs")
    await expect(other.page).to_have_title("Log in · Sexton")
    other.refusals.add(403)
    await other.log_in(Role.OPERATOR, "olga")
    await other.go("/tokens")
    await expect(other.page.get_by_role("heading", level=1)).to_have_text("Forbidden")
    assert await other.hurdles() == []


async def test_dead_items_come_and_go_by_themselves_and_leave_filter_page_choice_and_focus_alone(
    url: str, visit: Visit, connection: asyncpg.Connection
) -> None:
    await fill(connection, dead=6, ready=0)
    async with live_house(url, queues=(QUEUE,), claiming=False) as opened:
        visitor = await visit(opened)
        await visitor.go(f"{PAGE}?error=BrokenCup")
        choice = visitor.page.get_by_label("choose item 3")
        await choice.check()
        await choice.focus()
        await visitor.page.get_by_role("searchbox").fill("half a wor")
        await choice.focus()
        await connection.execute("UPDATE public.todo SET state = 'READY' WHERE id = 1")
        await connection.execute(
            "INSERT INTO public.todo (id, state, last_error) "
            "VALUES (77, 'DEAD', 'BrokenCup again'), (78, 'DEAD', 'calm')"
        )
        await expect(visitor.page.get_by_label("choose item 77")).to_be_visible()
        await expect(visitor.page.get_by_label("choose item 1", exact=True)).to_have_count(0)
        await expect(visitor.page.get_by_label("choose item 78")).to_have_count(0)
        await expect(choice).to_be_checked()
        await expect(choice).to_be_focused()
        await expect(visitor.page.get_by_role("searchbox")).to_have_value("half a wor")
        await expect(visitor.button("Try the chosen again…")).to_be_enabled()
        await connection.execute("UPDATE public.todo SET state = 'READY'")
        await visitor.sees("None like that.")
        await expect(visitor.button("Try all that match again…")).to_be_hidden()


async def test_messages_change_by_themselves_on_the_page_that_is_read(
    open_house: House, visit: Visit, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO sexton.outbox (suite, address, channel, template, dedupe_key) "
        "SELECT 'test', 'ada@example.com', 'sms', 'hello', 'm' || n FROM generate_series(1, 103) n"
    )
    visitor = await visit(open_house)
    await visitor.go("/outbox?to=ada%40example.com&state=&channel=sms")
    await visitor.page.get_by_role("link", name="Older").click()
    await expect(visitor.page.locator("tbody tr")).to_have_count(3)
    oldest = await connection.fetchval("SELECT min(id) FROM sexton.outbox")
    choice = visitor.page.get_by_label(f"choose message {oldest}")
    await choice.check()
    await connection.execute(
        "INSERT INTO sexton.outbox (suite, address, channel, template, dedupe_key) "
        "VALUES ('test', 'ada@example.com', 'sms', 'hello', 'new')"
    )
    await connection.execute(
        "UPDATE sexton.outbox SET state = 'failed', settled_at = sexton.clock() WHERE id = $1", oldest
    )
    await expect(visitor.page.locator("td .badge.failed")).to_have_count(1)
    await expect(visitor.page.locator("tbody tr")).to_have_count(3)
    await expect(choice).to_be_checked()
    await expect(choice).to_be_focused()
    assert await visitor.hurdles() == []
