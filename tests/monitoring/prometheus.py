"""A real Prometheus on loopback that scrapes and evaluates each second, by the shipped configuration."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.monitoring.tools import MONITORING, program
from tests.ports import free_port
from tests.system.node import DIES_WITH_US
from tests.system.waiting import until


class Prometheus:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, path: str, **parameters: str) -> Any:
        answer = await self._client.get(f"/api/v1/{path}", params=parameters)
        body = answer.json()
        assert body["status"] == "success", (parameters, body)
        return body["data"]

    async def has_data(self, expression: str) -> bool:
        """Whether a query gives at least one number now; no series, and NaN, are none."""
        result = (await self.ask("query", query=expression))["result"]
        return any(not math.isnan(float(series["value"][1])) for series in result)

    async def rules(self) -> list[dict[str, Any]]:
        return [rule for group in (await self.ask("rules"))["groups"] for rule in group["rules"]]


def configuration(target: str) -> str:
    """The shipped one, quicker, and pointed at a daemon of the test's."""
    shipped = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    assert "15s" in shipped
    assert "127.0.0.1:9464" in shipped
    quick = shipped.replace("15s", "1s").replace("127.0.0.1:9464", target)
    return quick.replace("rules/*.yml", f"{MONITORING}/rules/*.yml")


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[Prometheus]:
    """Running and ready for the block. Skips the test where there is none."""
    config, log, address = folder / "prometheus.yml", folder / "prometheus.log", f"127.0.0.1:{free_port()}"
    config.write_text(configuration(target), encoding="utf-8")
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *DIES_WITH_US, program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address={address}", stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
            await until(lambda: ready(client, process, log), "Prometheus to be ready")
            yield Prometheus(client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process, log: Path) -> bool:
    assert process.returncode is None, log.read_text(encoding="utf-8")
    try:
        return (await client.get("/-/ready")).status_code == 200
    except httpx.TransportError:
        return False
