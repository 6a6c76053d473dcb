"""Reminders on their way through a real node and mail server: whoever changes their mind in between is heard."""

from __future__ import annotations

from datetime import time, timedelta

import asyncpg

from daemon.events import MessagesSettled
from tests.daemon.harness import node
from tests.daemon.mail import SmtpChannel, mail_server
from tests.workers.productivity.house import House
from workers.productivity.goal_deadlines import goal_deadlines

SUITES = {"productivity": "workers.productivity"}


async def test_who_is_deleted_opts_out_or_unsubscribes_before_it_goes_gets_nothing_and_quiet_hours_wait(
    house: House, connection: asyncpg.Connection
) -> None:
    """At the real time of day, since delivery asks the database's clock: the slot is a minute ago."""
    now = await connection.fetchval("SELECT date_trunc('minute', sexton.clock())")
    slot = {"reminders": {"goal_deadlines_at": (now - timedelta(minutes=1)).time().isoformat("minutes")}}
    due_on = (now - timedelta(minutes=1)).date() + timedelta(days=1)
    for id_ in range(1, 7):
        await house.user(id_)
        await house.goal(id_, f"goal {id_}", due_on.isoformat())
        around = ((now - timedelta(hours=1)).time(), (now + timedelta(hours=12)).time())
        quiet = around if id_ == 5 else (time(0), time(0))
        await house.pref(id_, quiet_start=quiet[0], quiet_end=quiet[1])
    assert (await house.succeed(goal_deadlines, now, settings=slot))["sent"] == 6
    await connection.execute("DELETE FROM productivity.users WHERE id = 1")
    await connection.execute("UPDATE productivity.users SET deleted_at = sexton.clock() WHERE id = 6")
    await connection.execute("UPDATE productivity.user_pref SET email_enabled = false WHERE user_id = 2")
    await connection.execute(
        "INSERT INTO sexton.suppression (suite, recipient, channel, reason) "
        "VALUES ('productivity', '3', 'email', 'unsubscribed')"
    )
    async with mail_server() as server, node(
        house.url, channels={"email": SmtpChannel(server.port)}, packages=SUITES
    ) as n:  # fmt: skip
        await n.event(MessagesSettled, lambda _: sum(
            e.count for e in n.events if isinstance(e, MessagesSettled) and e.state != "failed") >= 6)  # fmt: skip
    (mail,) = server.received
    assert (mail["To"], mail["Subject"]) == ("u4@example.org", "goal 4 is due tomorrow")
    told = dict(await house.rows("SELECT recipient::int, coalesce(last_error, state) FROM sexton.outbox"))  # type: ignore[arg-type]
    assert told.pop(5) in ("quiet hours", "expires within quiet hours")
    assert told == {
        1: "recipient '1' is not there", 2: "opted out of email", 3: "unsubscribed", 4: "sent",
        6: "recipient '6' is deleted",
    }  # fmt: skip
