"""SIGHUP: what can change while running does, the rest is named, and a configuration with errors changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from daemon import Context, Every, OnDemand, catalogue
from daemon.catalogue import Catalogue
from daemon.config import ConfigError
from daemon.events import Note, Reloaded, ReloadRefused, RunEnded
from daemon.reload import reload
from daemon.settings import Settings
from tests.daemon.harness import Node, a_job, node

NEED_A_RESTART: dict[str, dict[str, dict[str, Any]]] = {
    "database": {"database": {"pool": 7}},
    "pool": {"pool": {"size": 1}},
    "metrics": {"metrics": {"listen": "off"}},
    "queues": {"queues": {"retry_delay": timedelta(seconds=1)}},
    "log": {"log": {"level": "debug"}},
    "suite": {"suite": {"tea": {"cups": 3}}},
    "node.lease": {"node": {"lease": timedelta(seconds=7)}},
}


async def nothing(_: Context) -> None: ...


def reread(n: Node, jobs: list[Any], **sections: dict[str, Any]) -> tuple[Settings, Catalogue]:
    settings = n.engine.settings
    for name, values in sections.items():
        old = getattr(settings, name)
        new = {**old, **values} if isinstance(old, dict) else old.model_copy(update=values)
        settings = settings.model_copy(update={name: new})
    return settings, catalogue.of(jobs)


async def test_a_jobs_new_settings_are_in_force_at_once(url: str) -> None:
    async with node(url, a_job(nothing, OnDemand(), "t.one"), a_job(nothing, OnDemand(), "t.two")) as n:
        jobs = [a_job(nothing, Every(0.2), "t.one", retries=9), a_job(nothing, OnDemand(), "t.two")]
        await reload(n.engine, lambda: reread(n, jobs, node={"slots": 3}), n.hear)
        assert n.engine.roster.jobs["t.one"].retries == 9
        assert n.engine.slots.runs == 3
        assert (await n.event(Reloaded)).changed == ("t.one",)
        assert (await n.event(RunEnded)).job == "t.one"
        assert not [e for e in n.events if isinstance(e, Note)]


async def test_what_needs_a_restart_says_so_each_time(url: str) -> None:
    jobs = [a_job(nothing, OnDemand(), "t.one")]
    async with node(url, *jobs) as n:
        for key, sections in NEED_A_RESTART.items():
            for _ in range(2):
                n.events.clear()
                await reload(n.engine, lambda sections=sections: reread(n, jobs, **sections), n.hear)  # type: ignore[misc]
                assert [e.text for e in n.events if isinstance(e, Note)] == [f"{key}: takes effect at the next restart"]


async def test_a_configuration_with_errors_changes_nothing(url: str) -> None:
    def wrong() -> tuple[Settings, Catalogue]:
        raise ConfigError(["node.lease = 'soon': no", "pool.size = 9: no"])

    async with node(url, a_job(nothing, OnDemand(), "t.one", retries=1)) as n:
        before = (n.engine.settings, n.engine.roster.catalogue)
        await reload(n.engine, wrong, n.hear)
        assert (await n.event(ReloadRefused)).problems == ("node.lease = 'soon': no", "pool.size = 9: no")
        assert (n.engine.settings, n.engine.roster.catalogue) == before
