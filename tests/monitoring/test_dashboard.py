"""The dashboard: written by its code, fit to be imported, and no panel without data on a real daemon."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from daemon import suite_gauges
from daemon.metrics import Metrics
from monitoring.dashboard import TARGET, dashboard, written
from tests.monitoring.conftest import Daemon
from tests.monitoring.prometheus import Prometheus, prometheus
from tests.monitoring.tools import MONITORING
from tests.ports import free_port
from tests.system.node import Node
from tests.system.waiting import until

SUITES = {"tutoring": "workers.tutoring"}
CHOICES = {"$suite": ".*", "$job": ".*", "$instance": ".*", "$__rate_interval": "10s"}
RAISED = frozenset({
    "SextonRunsHeld", "SextonJobLate", "SextonJobNotSucceeding",  # held since yesterday, and all behind it waits
    "SextonDeadItems", "SextonChannelDown", "SextonWorkersDying",
})  # fmt: skip
NOT_RAISED = frozenset({
    "SextonNodeDown", "SextonNoNode", "SextonNodeGone", "SextonNodeNotReady", "SextonNodeRestarting",
    "SextonVersionsDiffer", "SextonDatabaseDown", "SextonLeaseNotHeld", "SextonTablesUntold", "SextonServiceFailing",
    "SextonInstantsMissed", "SextonRunFailed", "SextonClockDifference",
})  # fmt: skip
METRIC = re.compile(r"\b(sexton_[a-z_0-9]+|process_[a-z_]+|[a-z_]+:sexton_[a-z_0-9:]+)\b")
HELD = """
    INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, reason, not_before, strict)
    VALUES ('trial.minutely', now() - interval '1 day', current_date, 'schedule', 'held', 'a test', now(), true);
"""
TROUBLE = """
    INSERT INTO trial.item (key) SELECT generate_series(1, 10);
    INSERT INTO sexton.event (kind) VALUES ('nobody.listens');
    INSERT INTO sexton.outbox (channel, address, template, data, kind, dedupe_key)
    VALUES ('slack', '', 'alert', '{"alerts": [], "more": 0, "node": "a"}', 'alert', 'one');
"""


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of every panel, as Grafana would send it with everything chosen."""
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for name, choice in CHOICES.items():
                expression = expression.replace(name, choice)
            yield panel["title"], expression


def test_the_committed_file_is_what_the_code_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == written(), "run: python -m monitoring.dashboard"


def test_it_can_be_imported_anywhere() -> None:
    """The data source is a choice, numbers are unique, and nothing refers to a Grafana of ours."""
    made = json.loads(written())
    assert made["schemaVersion"] >= 38
    assert "id" not in made
    names = [choice["name"] for choice in made["templating"]["list"]]
    assert names == ["datasource", "suite", "job", "instance"]
    numbers = [panel["id"] for panel in made["panels"]]
    assert len(numbers) == len(set(numbers))
    sources = [panel["datasource"]["uid"] for panel in panels()]
    assert set(sources) == {"${datasource}"}


def test_every_panel_says_what_it_shows_in_what_unit() -> None:
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles))


def test_no_two_panels_share_a_place() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


async def make_trouble(node: Node, connection: asyncpg.Connection) -> None:
    """Work that does not go well, and a person who interferes."""
    await connection.execute(TROUBLE)
    paused = await Node.start(node.environment, "pause", "trial.batches", "--reason", "a test")
    assert await paused.ended() == 0


async def test_every_panel_and_rule_has_data_and_troubles_raise_their_alerts(
    daemon: Daemon, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await connection.execute(HELD)  # before the job can succeed for the first time
    nobody = f"http://127.0.0.1:{free_port()}/hook"
    node = await daemon(
        "a", SEXTON_SLACK__WEBHOOK_URL=nobody, SEXTON_JOBS__TRIAL__LONG__EXPECTED="1m", SEXTON_NODE__LEASE="30s"
    )
    async with prometheus(tmp_path, node.environment["SEXTON_METRICS__LISTEN"]) as server:
        await until(lambda: server.has_data("sexton_node_ready"), "the first scrape")
        await make_trouble(node, connection)
        await until(lambda: all_have_data(server, list(expressions())), "every panel to have data")
        rules = await until(lambda: evaluated(server), "every rule to be evaluated")
        assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []
        recorded = [(rule["name"], rule["name"]) for rule in rules if rule["type"] == "recording"]
        await until(lambda: all_have_data(server, recorded), "every recording rule to have data")
        assert await unknown(server) == []
        await until(lambda: raised(server), "troubles to raise their alerts")
        assert await active(server) & NOT_RAISED == set()
    assert await node.stop() == 0


async def active(server: Prometheus) -> set[str]:
    """Alerts that fire, or will if it stays like this."""
    rules = await server.rules()
    return {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] != "inactive"}


async def raised(server: Prometheus) -> bool:
    missing = RAISED - await active(server)
    if missing:
        print(f"not raised yet: {sorted(missing)}")
    return not missing


async def all_have_data(server: Prometheus, asked: Sequence[tuple[str, str]]) -> bool:
    """False with the first that has none; those that wait are asked again."""
    for title, expression in asked:
        if not await server.has_data(expression):
            print(f"{title}: no data yet for {expression}")
            await asyncio.sleep(0.2)  # there is no use in asking again before the next scrape is near
            return False
    return True


async def evaluated(server: Prometheus) -> list[dict[str, Any]]:
    rules = await server.rules()
    return rules if all(rule["health"] != "unknown" for rule in rules) else []


async def unknown(server: Prometheus) -> list[str]:
    """Metrics that rules ask for and no daemon has: an alert on one would never fire. What a suite itself tells is
    there where that suite is, and a counter that is labelled by hooks where there are hooks."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((MONITORING / "rules").glob("*.yml")))
    expressions = "".join(re.findall(r"expr: (?:\|\n(?: {10}.*\n|\n)+|.*\n)", text))
    names = sorted({name for name in METRIC.findall(expressions) if not name.endswith("_")})
    counters = {f"{family.name}_total" for family in Metrics("").registry.collect() if family.type == "counter"}
    gauges = {gauge.name for gauge in suite_gauges.load(SUITES)}
    known = {*await server.ask("label/__name__/values"), *gauges, *counters}
    assert len(names) > 20
    return [name for name in names if name not in known]
