"""Generated requests against the admin's own description: no fault, nothing that the description does not say."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from daemon.admin.roles import Role
from tests.daemon.actions_house import AFTER, HAND, MONEY, TICK, add_run
from tests.daemon.admin.house import house
from tests.daemon.admin.todo import QUEUE, fill

# Left out is what asks for more than a description can say: which jobs and runs there are, so that a request that
# fits may still be refused; that the last of several values of a parameter counts.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,ignored_auth"
)
EXAMPLES = 3
PATIENCE = 400


async def schemathesis(base: str, token: str, folder: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{base}/openapi.json", "--checks", CHECKS,
        "--max-examples", str(EXAMPLES), "--header", f"Authorization: Bearer {token}", "--no-color",
        "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--request-timeout", "20", "--seed", "1",
        "--generation-database", "none", "--suppress-health-check", "all",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.mark.timeout(PATIENCE + 60)  # two thousand requests on a machine that has other things to do
async def test_whatever_is_sent_the_answer_is_one_that_the_description_allows(
    url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await fill(connection)
    async with house(url, MONEY, TICK, HAND, AFTER, queues=(QUEUE,), claiming=False) as opened:
        for state in ("failed", "held", "ready"):
            await add_run(connection, TICK, state, len(state))
        status, said = await schemathesis(opened.base, await opened.token(Role.ADMIN, "fuzz"), tmp_path)
        assert status == 0, said
