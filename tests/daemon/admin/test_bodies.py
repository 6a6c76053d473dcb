"""Bodies have an end, in octets and in time, and whoever goes beyond is told so as a problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from daemon.admin import bodies
from daemon.admin.bodies import LONGEST_BODY
from tests.daemon.admin.house import house

RUN = "/api/v1/jobs/test.any/run"


async def endless() -> AsyncIterator[bytes]:
    for _ in range(LONGEST_BODY // 65_536 + 1):
        yield b" " * 65_536


@pytest.mark.parametrize("path", [RUN, "/login"])
async def test_a_body_that_is_too_long_is_a_problem_guarded_as_any_answer_and_no_fault_of_ours(
    url: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(url) as h:
        for body in (b" " * (LONGEST_BODY + 1), endless()):
            form = {"Content-Type": "application/x-www-form-urlencoded" if path == "/login" else "application/json"}
            answer = await h.operator.post(path, content=body, headers=form)
            assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
            assert answer.json()["detail"] == f"a request has at most {LONGEST_BODY} octets"
            assert "content-security-policy" in answer.headers
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_body_that_does_not_come_is_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_WAIT", 0.05)
    async with house(url) as h:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(h.base).port)
        head = f"POST {RUN} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        writer.write(head.encode() + b'{"a')
        answer = await asyncio.wait_for(reader.read(), 60)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        writer.close()
