"""What the tables hold, as metrics. Only the node that tells of them has samples here; see `daemon.census`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from daemon.census import Counted
from daemon.expectations import Expectation, Expectations
from daemon.metric_families import counters, gauge, gauges
from daemon.metrics import JOB, MESSAGE_CHANNELS, MESSAGE_STATES, job_labels

RUN_STATES = ("ready", "waiting", "held", "running", "failed")


class TableMetrics(Collector):
    """Schedules are looked into here, in the thread of whoever scrapes, and not on the event loop."""

    def __init__(self, told: Callable[[], Counted | None]) -> None:
        self._told = told
        self._expectations = Expectations()

    def collect(self) -> Iterator[Metric]:
        told = self._told()
        text = "1 on the node that tells of the tables; the metrics of them come from that node alone"
        yield gauge("sexton_tells_of_tables", text, told is not None)
        if told is not None:
            yield from _jobs(told, self._expectations.of(told.jobs, told.awaited))
            yield from _runs(told)
            yield from _queues(told)
            yield from _messages(told)
            yield from _others(told)
            for gauged in told.gauges:
                yield gauges(gauged.name, gauged.text, gauged.labels, gauged.samples)


def _jobs(told: Counted, expected: Mapping[str, Expectation]) -> Iterator[Metric]:
    yield _instants("sexton_job_last_success_timestamp_seconds", "When it last succeeded", told.successes)
    yield _instants(
        "sexton_job_success_expected_by_timestamp_seconds",
        "When the next success is late: the instant after the last success, plus the job's timeout",
        {job: by.by for job, by in expected.items()},
    )
    yield _instants(
        "sexton_job_second_success_expected_by_timestamp_seconds",
        "When two successes in a row are late",
        {job: by.twice for job, by in expected.items() if by.twice is not None},
    )
    usual = {job_labels(name): job.expected.total_seconds() for name, job in told.jobs.items() if job.expected}
    yield gauges("sexton_job_expected_duration_seconds", "How long a run usually takes, where the job says", JOB, usual)
    paused = {job_labels(job): float(job in told.paused) for job in told.jobs}
    yield gauges("sexton_job_paused", "1 while the job is paused by a person", JOB, paused)


def _instants(name: str, text: str, instants: Mapping[str, datetime]) -> Metric:
    return gauges(name, text, JOB, {job_labels(job): at.timestamp() for job, at in instants.items()})


def _runs(told: Counted) -> Iterator[Metric]:
    counts = {(*job_labels(job), state): 0.0 for job in told.jobs for state in RUN_STATES}
    ages = dict(counts)
    for (job, state), amount in told.runs.items():
        counts[*job_labels(job), state] = amount.count
        ages[*job_labels(job), state] = amount.oldest
    by = (*JOB, "state")
    text = "Due instants that are not over; failed: one that holds up later instants of its job"
    yield gauges("sexton_job_instants", text, by, counts)
    text = "How long the oldest of them has been so: since it could have begun (ready), was due, or began (running)"
    yield gauges("sexton_job_instant_oldest_age_seconds", text, by, ages)


def _queues(told: Counted) -> Iterator[Metric]:
    depths = {key: float(count) for key, count in told.queue_states.items()}
    yield gauges("sexton_queue_depth", "Items in the queue", ("queue", "state"), depths)
    ages = {(queue,): age for queue, age in told.queue_ages.items()}
    yield gauges("sexton_queue_oldest_age_seconds", "Age of the oldest item not begun", ("queue",), ages)


def _messages(told: Counted) -> Iterator[Metric]:
    counts = {(channel, state): 0.0 for channel in MESSAGE_CHANNELS for state in MESSAGE_STATES}
    counts |= {key: amount.count for key, amount in told.messages.items()}
    text = "Messages that are not over, or did not end well"
    yield gauges("sexton_outbox_messages", text, ("channel", "status"), counts)
    ages = {(channel,): 0.0 for channel in MESSAGE_CHANNELS}
    ages |= {(channel,): amount.oldest for (channel, state), amount in told.messages.items() if state == "pending"}
    text = "How long the oldest message that could be sent has waited"
    yield gauges("sexton_outbox_oldest_age_seconds", text, ("channel",), ages)


def _others(told: Counted) -> Iterator[Metric]:
    yield gauge("sexton_events_waiting", "Events that were not handed to their jobs yet", told.events.count)
    yield gauge("sexton_events_oldest_age_seconds", "Age of the oldest of them", told.events.oldest)
    nodes = {(state,): float(count) for state, count in told.nodes.items()}
    text = "Nodes by state; gone: its lease ran out within a day and it is not back"
    yield gauges("sexton_nodes", text, ("state",), nodes)
    actions = {(action,): float(count) for action, count in told.actions.items()}
    yield counters("sexton_actions", "What people did, as the audit has it", ("action",), actions)
