"""Is this node well? A table of evidence and verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.health import Evidence, unready, unwell

FINE = Evidence(
    loop_lag=0.0, tick_overdue=0.0, database_age=1.0, outage=None, pool_alive=True, lease=30.0, holds_lease=True
)


def test_a_node_that_makes_progress_is_well_and_ready() -> None:
    assert unwell(FINE) == unready(FINE) == []


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        ({"loop_lag": 10.1}, "event loop stands still for 10 s"),
        ({"tick_overdue": 31.0}, "ticker is 31 s behind its own schedule"),
        ({"database_age": 61.0}, "no database answer for 61 s, and no outage is known"),
        ({"database_age": 31.0, "lease": 2.0}, "no database answer for 31 s, and no outage is known"),
        ({"pool_alive": False}, "the worker pool does not answer"),
    ],
)
def test_what_a_restart_might_cure_starves_the_watchdog(observed: dict[str, float], reason: str) -> None:
    evidence = replace(FINE, **observed)
    assert unwell(evidence) == [reason]
    assert unready(evidence) == [reason]


@pytest.mark.parametrize(
    "observed",
    [{"loop_lag": 10.0}, {"tick_overdue": 30.0}, {"database_age": 60.0}, {"database_age": 30.0, "lease": 2.0}],
)
def test_up_to_the_limit_nothing_is_wrong(observed: dict[str, float]) -> None:
    assert unwell(replace(FINE, **observed)) == []


def test_a_lost_database_is_no_reason_for_a_restart_but_the_node_is_not_ready() -> None:
    away = replace(
        FINE, outage="ConnectionRefusedError (for 70 s)", tick_overdue=70, database_age=70, holds_lease=False
    )
    assert unwell(away) == []
    assert unready(away) == ["database: ConnectionRefusedError (for 70 s)"]


def test_a_known_outage_excuses_neither_a_standing_loop_nor_a_dead_pool() -> None:
    away = replace(FINE, outage="gone", loop_lag=60, pool_alive=False)
    assert len(unwell(away)) == 2
    assert len(unready(away)) == 3


@pytest.mark.parametrize(
    ("observed", "reason"),
    [({"holds_lease": False}, "the node's lease is not held"), ({"draining": True}, "draining")],
)
def test_a_node_that_takes_no_work_is_well_but_not_ready(observed: dict[str, bool], reason: str) -> None:
    evidence = replace(FINE, **observed)
    assert unwell(evidence) == []
    assert unready(evidence) == [reason]
