"""Events in, Prometheus out: bounded labels, counters that begin at 0, and every outcome counted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from daemon import events as e
from daemon.metrics import OUTCOMES, Metrics
from daemon.outcome import Ending

DUE = datetime(2026, 3, 1, tzinfo=UTC)
BOUNDED = {
    "suite", "job_name", "outcome", "op", "queue", "channel", "status", "service", "le", "version", "generation",
    "implementation", "major", "minor", "patchlevel", "listener",
}  # fmt: skip
JOB = {"suite": "tea", "job_name": "tea.brew"}


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics("1.2.3")
    made.introduce(["tea.brew"], ["tea.cup"], ["ticker"])
    return made


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_no_label_is_ever_an_id_and_job_is_left_to_prometheus_itself(metrics: Metrics) -> None:
    for event in (e.RunStarted(7, "tea.brew", DUE, 0.1, 1), e.ItemDied("tea.cup", 99, "x"), e.Rescued("n", 1, 1)):
        metrics(event)
    names = set()
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            names |= set(sample.labels)
    assert names <= BOUNDED
    assert "job" not in names


def test_every_family_of_ours_is_described_and_named_as_ours(metrics: Metrics) -> None:
    for family in metrics.registry.collect():
        assert family.documentation
        assert family.name.startswith(("sexton_", "process_", "python_"))


def test_what_was_never_seen_is_zero_and_not_absent(metrics: Metrics) -> None:
    for outcome in OUTCOMES:
        assert value(metrics, "sexton_runs_total", **JOB, outcome=outcome) == 0
    for name in ("retries_total", "missed_fires_total", "forsaken_runs_total", "running"):
        assert value(metrics, f"sexton_job_{name}", **JOB) == 0
    for outcome in ("done", "failed", "dead", "postponed"):
        assert value(metrics, "sexton_queue_items_total", queue="tea.cup", outcome=outcome) == 0
    assert value(metrics, "sexton_service_failures_total", service="ticker") == 0
    for name in (
        "lease_losses",
        "rescued_runs",
        "database_outages",
        "listen_losses",
        "event_loop_stalls",
        "clock_steps",
    ):
        assert value(metrics, f"sexton_{name}_total") == 0
    assert value(metrics, "sexton_build_info", version="1.2.3") == 1


def test_what_only_a_run_can_count_is_zero_from_its_jobs_first_run_on(metrics: Metrics) -> None:
    rows = [("sexton_job_rows_total", {"op": op}) for op in ("insert", "update", "delete", "merge", "copy")]
    tries: list[tuple[str, dict[str, str]]] = [
        ("sexton_run_duration_seconds_count", {}),
        ("sexton_run_lateness_seconds_count", {}),
    ]
    assert {value(metrics, name, **JOB, **labels) for name, labels in rows + tries} == {None}
    metrics(e.RunStarted(1, "tea.brew", DUE, 3.0, 2))
    assert {value(metrics, name, **JOB, **labels) for name, labels in rows + tries} == {0}


def test_a_job_that_does_not_run_here_costs_a_scrape_few_series() -> None:
    metrics = Metrics("1.2.3")
    before = len(generate_latest(metrics.registry).splitlines())
    metrics.introduce(["tea.brew"], [])
    idle = len(generate_latest(metrics.registry).splitlines()) - before
    metrics(e.RunStarted(1, "tea.brew", DUE, 3.0, 1))
    busy = len(generate_latest(metrics.registry).splitlines()) - before
    assert (idle, busy) == (len(OUTCOMES) + 4, len(OUTCOMES) + 4 + 5 + 2 * (10 + 1 + 2))


def test_every_ending_and_every_state_of_an_instant_has_its_counter() -> None:
    endings = {str(ending).replace(" ", "_") for ending in Ending}
    assert endings | {"retrying", "skipped", "missed", "held"} == set(OUTCOMES)


@pytest.mark.parametrize("outcome", [*sorted(Ending), "retrying"])
def test_a_try_is_counted_once_and_runs_no_more(metrics: Metrics, outcome: str) -> None:
    metrics(e.RunStarted(7, "tea.brew", DUE, 0.02, 1))
    assert value(metrics, "sexton_job_running", **JOB) == 1
    metrics(e.RunEnded(7, "tea.brew", outcome, 1.5))
    assert value(metrics, "sexton_runs_total", **JOB, outcome=outcome.replace(" ", "_")) == 1
    assert sum(value(metrics, "sexton_runs_total", **JOB, outcome=o) or 0 for o in OUTCOMES) == 1
    assert value(metrics, "sexton_job_running", **JOB) == 0
    assert value(metrics, "sexton_run_duration_seconds_sum", **JOB) == 1.5
    assert value(metrics, "sexton_job_retries_total", **JOB) == (outcome == "retrying")


def test_lateness_is_of_first_tries_only(metrics: Metrics) -> None:
    metrics(e.RunStarted(7, "tea.brew", DUE, 0.5, 1))
    metrics(e.RunStarted(7, "tea.brew", DUE, 60.0, 2))
    assert value(metrics, "sexton_run_lateness_seconds_count", **JOB) == 1
    assert value(metrics, "sexton_run_lateness_seconds_sum", **JOB) == 0.5


@pytest.mark.parametrize(("state", "missed"), [("skipped", 0), ("held", 0), ("missed", 9)])
def test_a_span_of_instants_counts_as_many(metrics: Metrics, state: str, missed: int) -> None:
    metrics(e.InstantsSettled("tea.brew", state, 9, DUE, "why"))
    assert value(metrics, "sexton_runs_total", **JOB, outcome=state) == 9
    assert value(metrics, "sexton_job_missed_fires_total", **JOB) == missed


def test_items_are_counted_by_what_became_of_them(metrics: Metrics) -> None:
    metrics(e.ItemsFinished("tea.cup", 5, 2, 1, 3))
    outcomes = ("done", "failed", "dead", "postponed")
    found = [value(metrics, "sexton_queue_items_total", queue="tea.cup", outcome=o) for o in outcomes]
    assert found == [5, 2, 1, 3]


@pytest.mark.parametrize(
    ("event", "name", "by"),
    [
        (e.DatabaseLost("x"), "database_outages", 1), (e.LeaseLost("x"), "lease_losses", 1),
        (e.ListenLost("x"), "listen_losses", 1), (e.Rescued("n", 3, 4), "rescued_runs", 3),
        (e.LoopLagged(2.0, "", None), "event_loop_stalls", 1), (e.ClockStepped(-9.0), "clock_steps", 1),
    ],
)  # fmt: skip
def test_the_nodes_own_troubles_are_counted(metrics: Metrics, event: e.Event, name: str, by: int) -> None:
    metrics(event)
    metrics(event)
    assert value(metrics, f"sexton_{name}_total") == 2 * by


def test_what_fails_and_what_does_not_end_is_counted_by_name(metrics: Metrics) -> None:
    metrics(e.ServiceFailed("ticker", "x", "", 0.5))
    metrics(e.RunForsaken(7, "tea.brew", 12.0, ""))
    metrics(e.RunGivenUp(8, "tea.brew", "the node died 6 times while running this"))
    assert value(metrics, "sexton_service_failures_total", service="ticker") == 1
    assert value(metrics, "sexton_job_forsaken_runs_total", **JOB) == 1
    assert value(metrics, "sexton_runs_total", **JOB, outcome="failed") == 1


def test_committed_rows_are_counted_by_kind_of_statement(metrics: Metrics) -> None:
    metrics(e.RunStarted(7, "tea.brew", DUE, 3.0, 1))
    metrics(e.RunEnded(7, "tea.brew", "succeeded", 1.5, written={"insert": 12, "copy": 500}))
    metrics(e.RunEnded(8, "tea.brew", "failed", 1.5, written={"insert": 3}))
    found = {op: value(metrics, "sexton_job_rows_total", **JOB, op=op) for op in ("insert", "copy", "update")}
    assert found == {"insert": 15, "copy": 500, "update": 0}


def test_two_registries_share_no_numbers(metrics: Metrics) -> None:
    metrics(e.LeaseLost("x"))
    assert value(Metrics("1"), "sexton_lease_losses_total") == 0
