"""Digests sent to a real mail server by daemons that die over it."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from random import Random

from daemon.channels.mime import message_id
from daemon.delivery_results import ENOUGH
from tests.daemon.mail import MailServer, mail_server
from tests.system.node import Node
from tests.system.payouts.stage import PayoutStage
from tests.system.waiting import row

DOMAIN = "example.org"
CONNECTIONS = 10
IN_DOUBT = 2 * ENOUGH + CONNECTIONS
"""What one death can repeat at most: what was under way, and what was sent and not yet written."""
# Months of messages take hours to send: the rest is put off.
CHOOSE = """
    UPDATE sexton.outbox SET not_before = not_before + interval '1 year'
    WHERE state = 'pending' AND id NOT IN (SELECT id FROM sexton.outbox ORDER BY md5(dedupe_key) LIMIT $1)
"""
IN_FLIGHT = "SELECT count(*) >= $1 FROM sexton.outbox WHERE state = 'sending'"
ALL_SENT = """
    SELECT NOT EXISTS (SELECT FROM sexton.outbox WHERE state <> 'sent' AND not_before < sexton.clock())
"""


def mail_settings(server: MailServer) -> dict[str, str]:
    return {
        "SEXTON_EMAIL__HOST": "127.0.0.1",
        "SEXTON_EMAIL__PORT": str(server.port),
        "SEXTON_EMAIL__TLS": "none",
        "SEXTON_EMAIL__SENDER": f"Sexton <sexton@{DOMAIN}>",
        "SEXTON_EMAIL__CONCURRENCY": str(CONNECTIONS),
    }


async def posted(stage: PayoutStage, messages: int, kills: int, dice: Random) -> dict[str, int]:
    """So many digests sent by daemons of which the first is killed when the server has the data of some and has not
    answered, the others by chance, and the last lives. Counts."""
    await chosen(stage, messages)
    async with mail_server() as server:
        await killed_while_sending(stage, server)
        for _ in range(kills - 1):
            await killed_amid_mails(stage, server, messages, dice)
        last = await stage.daemon(**mail_settings(server))
        await all_sent(stage)
        assert await last.stop() == 0
    return await counted(stage, server, messages, kills)


async def posted_by_twins(stage: PayoutStage, messages: int, **settings: str) -> dict[str, int]:
    """The first is frozen when the server has the data of some and has not answered; the second sends everything, and
    then the first hears that the server has taken what it sent. Counts."""
    await chosen(stage, messages)
    async with mail_server() as server:
        a = await half_sent(stage, server, name="a", **settings)
        a.signal(signal.SIGSTOP)
        server.release()
        b = await stage.daemon(name="b", **mail_settings(server), **settings)
        await b.says(r"rescued from a$")
        await all_sent(stage)
        a.signal(signal.SIGCONT)
        await a.says(r"this node's lease is lost")
        assert await asyncio.gather(a.stop(), b.stop()) == [0, 0]
    stage.tell("frozen during outbox send, and its mails sent by the twin")
    return await counted(stage, server, messages, 1)


async def chosen(stage: PayoutStage, messages: int) -> None:
    async with stage.place.connection() as connection:
        await connection.execute(CHOOSE, messages)


async def all_sent(stage: PayoutStage) -> None:
    async with stage.looking() as connection:
        await row(connection, ALL_SENT, seconds=600)


async def half_sent(stage: PayoutStage, server: MailServer, **options: str) -> Node:
    """A daemon whose mails have arrived on each of its connections and have not been answered."""
    server.hold = asyncio.Event()
    node = await stage.daemon(**mail_settings(server), **options)
    await server.has(CONNECTIONS)
    async with stage.looking() as connection:
        assert await connection.fetchval(IN_FLIGHT, CONNECTIONS)
    return node


async def killed_while_sending(stage: PayoutStage, server: MailServer) -> None:
    node = await half_sent(stage, server)
    await node.kill()
    server.release()
    stage.tell(f"killed during outbox send: the server had {CONNECTIONS} mails and had not answered")


async def killed_amid_mails(stage: PayoutStage, server: MailServer, messages: int, dice: Random) -> None:
    node = await stage.daemon(**mail_settings(server))
    more = min(dice.randint(1, 40), messages - len(set(server.ids)))
    await server.has(len(server.received) + more)
    await asyncio.sleep(dice.uniform(0, 0.1))
    await node.kill()
    stage.tell(f"killed amid mails: the server had {len(server.ids)}")


async def counted(stage: PayoutStage, server: MailServer, messages: int, kills: int) -> dict[str, int]:
    """Each message that is `sent` arrived, whatever came twice has its Message-ID, and nothing else arrived."""
    async with stage.place.connection() as connection:
        keys = await connection.fetch("SELECT dedupe_key FROM sexton.outbox WHERE state = 'sent'")
    arrived = Counter(server.ids)
    assert set(arrived) == {message_id(row["dedupe_key"], DOMAIN) for row in keys}
    assert len(arrived) == len({(mail["To"], mail["Subject"]) for mail in server.received}) == messages
    repeated = arrived.total() - messages
    assert CONNECTIONS <= repeated <= kills * IN_DOUBT
    return {"mails": messages, "mails_repeated": repeated}
