"""The admin of a real daemon: its token, its pages while it leaves, and what keeps it from starting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.daemon.cli.conftest import running
from tests.daemon.cli.console import Console
from tests.ports import free_port


def with_admin(sexton: Console, listen: str) -> Console:
    return Console({**sexton.environment, "SEXTON_ADMIN__LISTEN": listen}, sexton.capture, sexton.patch)


async def test_a_token_of_the_command_line_opens_the_daemons_api(sexton: Console, ledger: asyncpg.Connection) -> None:
    console = with_admin(sexton, f"127.0.0.1:{free_port()}")
    base = f"http://{console.environment['SEXTON_ADMIN__LISTEN']}"
    async with running(console):
        token = (await console.process("token", "--name", "asha", "--role", "operator")).ok().out.strip()
        async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {token}"}) as client:
            (node,) = (await client.get("/api/v1/nodes")).json()
            assert node["alive"]
            run = (await client.post("/api/v1/jobs/house.report/run")).json()["run"]
            async with asyncio.timeout(60):
                while (await client.get(f"/api/v1/runs/{run}")).json()["state"] != "succeeded":
                    await asyncio.sleep(0.05)
            revoked = await console.process("token", "--revoke", "asha")
            assert "is revoked" in revoked.ok().out
            assert (await client.get("/api/v1/nodes")).status_code == 401


async def test_an_open_connection_does_not_keep_a_daemon_from_leaving(
    sexton: Console, ledger: asyncpg.Connection
) -> None:
    """`running` ends it with SIGTERM, and wants it to leave in order."""
    console = with_admin(sexton, f"127.0.0.1:{free_port()}")
    host, _, port = console.environment["SEXTON_ADMIN__LISTEN"].partition(":")
    async with running(console):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\nGET /lo")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("command", ["run", "check"])
def test_where_others_reach_it_nothing_starts_without_a_secret(bare: Console, command: str) -> None:
    done = with_admin(bare, "0.0.0.0:0")(command)
    assert done.status == 2
    assert "listen = '0.0.0.0:0' can be reached from other machines" in done.err
    assert "set JWT_SECRET in the environment or the credential jwt_secret" in done.err


def test_a_key_that_others_can_read_is_refused(sexton: Console, tmp_path: Path) -> None:
    sexton("token", "--name", "asha").ok()
    (tmp_path / "state" / "admin.key").chmod(0o644)
    done = sexton("token", "--name", "asha")
    assert (done.status, "can be read by others: chmod 600 it" in done.err) == (1, True)
