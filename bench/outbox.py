"""Messages from the outbox to a real SMTP server, by a real daemon, against a bare aiosmtplib loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from bench.daemon_process import configured, daemon
from bench.measure import CpuMeter, median, resident_mb
from bench.report import Result, Table, Target
from bench.stage import Stage, child
from daemon import sql
from workers.investment.seed import seed

LEAVE, NOW, UNDER_WAY, SENT = sql.load(__file__, "leave", "now", "under_way", "sent")

MAILS, QUICK_MAILS = 20_000, 200
CONNECTIONS = 10
PATIENCE = 600.0
LOOK_EVERY = 0.25  # a look passes over all that has been claimed, and is paid by what is measured
EMAIL = """
[email]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "Sexton <sexton@example.org>"
concurrency = {connections}
"""


@dataclass
class MailServer:
    """`counted` is what it says at its end: mails, distinct Message-IDs, octets, connections, CPU seconds."""

    port: int
    counted: dict[str, Any] = field(default_factory=dict)


async def run(stage: Stage) -> Result:
    mails = QUICK_MAILS if stage.options.quick else round(MAILS * stage.options.scale)
    house = await seeded(stage, mails)
    ours: list[dict[str, Any]] = []
    bare: list[dict[str, Any]] = []
    for n in range(1, stage.options.rounds + 1):
        stage.tell(f"round {n}: {mails:,} mails, the daemon")
        async with stage.copy_of(house) as url, mail_server(stage) as server:
            answer = await by_the_daemon(stage, url, server.port, mails)
        assert server.counted["mails"] == server.counted["distinct"] == mails, server.counted
        ours.append({**answer, "server": server.counted})
        stage.tell(f"round {n}: {mails:,} mails, aiosmtplib alone")
        async with mail_server(stage) as server:
            answer = await child(
                "bench.outbox_bare:main", patience=PATIENCE, port=server.port, mails=mails, connections=CONNECTIONS,
                octets=ours[-1]["server"]["octets"] // mails,
            )  # fmt: skip
        assert server.counted["mails"] == mails, server.counted
        bare.append({**answer, "server": server.counted})
    return told(mails, ours, bare)


async def seeded(stage: Stage, mails: int) -> str:
    """A house with people to write to, as a database to copy."""
    url = await stage.fresh()
    connection = await asyncpg.connect(url)
    try:
        await seed(connection, scale=1.5 * mails / 1000, cache=stage.folder, progress=lambda *_: None)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return url


@asynccontextmanager
async def mail_server(stage: Stage) -> AsyncIterator[MailServer]:
    """Listening in a process of its own for the block; `counted` afterwards."""
    port, sign = stage.folder / "port", stage.folder / "mail"
    port.unlink(missing_ok=True)
    sign.touch()
    serving = asyncio.create_task(
        child("bench.outbox_server:main", patience=PATIENCE, port_file=str(port), sign=str(sign))
    )
    try:
        while not port.exists() and not serving.done():
            await asyncio.sleep(0.02)
        server = MailServer(int(port.read_text()))
        yield server
        sign.unlink()
        server.counted = await serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def by_the_daemon(stage: Stage, url: str, port: int, mails: int) -> dict[str, Any]:
    """Seconds from the commit that leaves the messages until the last result is written."""
    email = EMAIL.format(port=port, connections=CONNECTIONS)
    config = configured(stage.folder / "outbox", url=url, suites=("workers.investment",), more=email)
    connection = await asyncpg.connect(url)
    try:
        async with daemon(config) as running:
            mine, theirs = CpuMeter(running.pid), CpuMeter(stage.postgres_pid)
            await connection.execute(LEAVE.text, mails)
            began = await connection.fetchval(NOW.text)
            async with asyncio.timeout(PATIENCE):
                while await connection.fetchval(UNDER_WAY.text):
                    await asyncio.sleep(LOOK_EVERY)
            answer = {"cpu": mine.sample(), "cpu_postgres": theirs.sample(), "rss": resident_mb(running.pid)}
        (row,) = await connection.fetch(SENT.text)
    finally:
        await connection.close()
    assert row["sent"] == mails, f"{row['sent']} of {mails} were sent"
    took = (row["last"] - began).total_seconds()
    seen = {"attempts": row["attempts"], "results_at_once": row["usual"], "results_at_most": row["most"]}
    return {"seconds": took, **answer, **seen}


def told(mails: int, ours: list[dict[str, Any]], bare: list[dict[str, Any]]) -> Result:
    rows = []
    for name, answers in (("ours, commit to result written", ours), ("aiosmtplib alone", bare)):
        took = median([a["seconds"] for a in answers])
        each = [1000 / mails * median([cpu(a) for a in answers]) for cpu in (of_client, of_server, of_postgres)]
        rows.append((name, mails / took, took, median([a["seconds"] for a in bare]) / took, *each))
    ratio = median([peer["seconds"] / own["seconds"] for own, peer in zip(ours, bare, strict=True)])
    octets = ours[0]["server"]["octets"] // mails
    usual, most = median([a["results_at_once"] for a in ours]), max(a["results_at_most"] for a in ours)
    table = Table(
        f"{mails:,} mails to an SMTP server on loopback, {CONNECTIONS} connections",
        ("", "mails/s", "s", "of bare", "CPU ms/mail", "server ms/mail", "PostgreSQL ms/mail"),
        rows,
        f"{octets:,} octets each. ours: claimed, the person asked, rendered as text and HTML, sent, recorded; each "
        "arrived once.\n  bare: finished octets, nothing remembered.\n  "
        f"Results were written {usual:.0f} at once, at most {most}: a kill just before would send those again, and the "
        f"{CONNECTIONS} under way.",
    )
    targets = [Target("mails/s, of the bare loop", ratio, 0.5, at_least=True)]
    return Result("outbox", [table], targets, {"mails": mails, "ours": ours, "bare": bare})


def of_client(answer: dict[str, Any]) -> float:
    return float(answer["cpu"])


def of_server(answer: dict[str, Any]) -> float:
    return float(answer["server"]["cpu"])


def of_postgres(answer: dict[str, Any]) -> float:
    return float(answer.get("cpu_postgres", 0.0))
