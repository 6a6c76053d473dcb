"""Events in, Prometheus out. Labels are bounded (suite, job_name, outcome, queue, state); never an id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from daemon import events as e

OUTCOMES = (
    "succeeded", "failed", "timed_out", "retrying", "cancelled", "interrupted", "fenced", "database_lost",
    "skipped", "missed", "held",
)  # fmt: skip
MESSAGE_CHANNELS = ("email", "sms", "slack", "discord")
MESSAGE_STATES = ("pending", "sending", "failed", "unknown")
DURATIONS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
LATENESSES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600)


class Metrics:
    """A registry of its own, so that tests and twins do not share numbers."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        self.succeeded_at: dict[str, datetime] = {}
        self.expected_since: dict[str, datetime] = {}
        self._began = datetime.now(UTC)
        self._renewals = 0
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._define_runs(self.registry)
        self._define_queues(self.registry)
        self._define_messages(self.registry)
        self._define_node(self.registry)
        Info("sexton_build", "Version of the daemon", registry=self.registry).info({"version": version})

    def _define_runs(self, registry: CollectorRegistry) -> None:
        job = ("suite", "job_name")
        self.runs = Counter("sexton_runs", "Ends of due instants and tries", (*job, "outcome"), registry=registry)
        self.duration = Histogram(
            "sexton_run_duration_seconds", "How long a try took", job, buckets=DURATIONS, registry=registry
        )
        self.lateness = Histogram(
            "sexton_run_lateness_seconds", "Start less due instant, first tries", job, buckets=LATENESSES,
            registry=registry,
        )  # fmt: skip
        self.retries = Counter("sexton_job_retries", "Tries that will be repeated", job, registry=registry)
        self.missed = Counter("sexton_job_missed_fires", "Due instants that will never run", job, registry=registry)
        self.running = Gauge("sexton_job_running", "Runs of this job on this node", job, registry=registry)
        self.last_success = Gauge(
            "sexton_job_last_success_timestamp_seconds", "When it last succeeded", job, registry=registry
        )

        self.expected_by = Gauge(
            "sexton_job_success_expected_by_timestamp_seconds",
            "When the next success is late: the instant after the last success, plus the job's timeout",
            job, registry=registry,
        )  # fmt: skip

    def _define_queues(self, registry: CollectorRegistry) -> None:
        self.items = Counter("sexton_queue_items", "Items this node settled", ("queue", "outcome"), registry=registry)
        self.depth = Gauge("sexton_queue_depth", "Items in the queue", ("queue", "state"), registry=registry)
        self.oldest = Gauge(
            "sexton_queue_oldest_age_seconds",
            "Age of the oldest item not begun",
            ("queue",),
            registry=registry,
        )

    def _define_messages(self, registry: CollectorRegistry) -> None:
        by_channel = ("channel", "state")
        self.settled = Counter("sexton_outbox", "Messages this node settled", by_channel, registry=registry)
        self.messages = Gauge(
            "sexton_outbox_messages", "Messages that are not over, or did not end well", by_channel, registry=registry
        )
        self.oldest_message = Gauge(
            "sexton_outbox_oldest_seconds",
            "How long the oldest message that could be sent has waited",
            ("channel",),
            registry=registry,
        )
        self.channel_up = Gauge(
            "sexton_channel_up", "0 while the channel is known to be away", ("channel",), registry=registry
        )

    def _define_node(self, registry: CollectorRegistry) -> None:
        self.pool = Gauge("sexton_pool_workers", "Worker processes", ("state",), registry=registry)
        self.worker_deaths = Counter("sexton_pool_worker_deaths", "Workers that died or were killed", registry=registry)
        self.lag = Gauge("sexton_event_loop_lag_seconds", "How far the event loop is behind", registry=registry)
        self.database_up = Gauge("sexton_database_up", "1 while the database answers", registry=registry)
        self.database_up.set(1)
        self.listen_up = Gauge("sexton_listen_up", "1 while LISTEN hears its own echo", registry=registry)
        self.renewals = Counter("sexton_lease_renewals", "Lease renewals", registry=registry)
        self.lost_leases = Counter("sexton_lease_losses", "Leases lost", registry=registry)
        self.rescues = Counter("sexton_rescued_runs", "Runs taken over from dead nodes", registry=registry)

    def introduce(self, jobs: Iterable[str], queues: Iterable[str]) -> None:
        """Every counter exists at 0 before anything happens, so that the first increase is seen."""
        for name in jobs:
            labels = _labels(name)
            for outcome in OUTCOMES:
                self.runs.labels(*labels, outcome)
            for family in (self.duration, self.lateness, self.retries, self.missed, self.running):
                family.labels(*labels)
        for queue in queues:
            for outcome in ("done", "failed", "dead", "postponed"):
                self.items.labels(queue, outcome)

    def seed_successes(self, finished: Mapping[str, datetime]) -> None:
        for name, at in finished.items():
            self.last_success.labels(*_labels(name)).set(at.timestamp())
            self.succeeded_at[name] = at

    def expecting_since(self, job: str) -> datetime:
        """Its last success; for a job that never succeeded its first instant, or when we began to look."""
        return self.succeeded_at.get(job) or self.expected_since.get(job) or self._began

    def introduce_channels(self, channels: Iterable[str]) -> None:
        """A channel is taken to be there until a message finds that it is not."""
        for channel in channels:
            self.channel_up.labels(channel).set(1)
            for state in ("sent", "failed", "suppressed", "unknown", "pending"):
                self.settled.labels(channel, state)

    def messages_are(self, counts: Iterable[tuple[str, str, int, float]]) -> None:
        """{channel, state, messages, seconds the oldest has waited}; what is not named is none."""
        for channel in MESSAGE_CHANNELS:
            for state in MESSAGE_STATES:
                self.messages.labels(channel, state).set(0)
            self.oldest_message.labels(channel).set(0)
        for channel, state, count, oldest in counts:
            self.messages.labels(channel, state).set(count)
            if state == "pending":
                self.oldest_message.labels(channel).set(max(oldest, 0.0))

    def renewals_are(self, total: int) -> None:
        """The lease counts for itself; the counter follows."""
        self.renewals.inc(total - self._renewals)
        self._renewals = total

    def __call__(self, event: e.Event) -> None:
        match event:
            case e.RunStarted(job=job, lateness=lateness, attempt=attempt, trigger=trigger):
                self.running.labels(*_labels(job)).inc()
                if attempt == 1 and trigger == "schedule":  # a run by hand may be due years ago
                    self.lateness.labels(*_labels(job)).observe(lateness)
            case e.RunEnded():
                self._ended(event)
            case e.RunGivenUp(job=job):
                self.runs.labels(*_labels(job), "failed").inc()
            case e.InstantsSettled(job=job, state=state, count=count):
                self.runs.labels(*_labels(job), state).inc(count)
                if state == "missed":
                    self.missed.labels(*_labels(job)).inc(count)
            case e.ItemsFinished(queue=queue, done=done, failed=failed, dead=dead, postponed=postponed):
                for outcome, n in (("done", done), ("failed", failed), ("dead", dead), ("postponed", postponed)):
                    self.items.labels(queue, outcome).inc(n)
            case _:
                self._of_messages(event)
                self._of_node(event)

    def _of_messages(self, event: e.Event) -> None:
        match event:
            case e.MessagesSettled(channel=channel, state=state, count=count):
                self.settled.labels(channel, state).inc(count)
            case e.ChannelDown(channel=channel) | e.ChannelDisabled(channel=channel):
                self.channel_up.labels(channel).set(0)
            case e.ChannelBack(channel=channel):
                self.channel_up.labels(channel).set(1)

    def _ended(self, event: e.RunEnded) -> None:
        labels = _labels(event.job)
        self.runs.labels(*labels, event.outcome.replace(" ", "_")).inc()
        self.duration.labels(*labels).observe(event.seconds)
        self.running.labels(*labels).dec()
        if event.outcome == "retrying":
            self.retries.labels(*labels).inc()
        if event.outcome == "succeeded":
            self.last_success.labels(*labels).set_to_current_time()
            self.succeeded_at[event.job] = datetime.now(UTC)

    def _of_node(self, event: e.Event) -> None:
        match event:
            case e.DatabaseLost():
                self.database_up.set(0)
            case e.DatabaseBack():
                self.database_up.set(1)
            case e.LeaseLost():
                self.lost_leases.inc()
            case e.Rescued(runs=runs):
                self.rescues.inc(runs)
            case e.WorkerExited():
                self.worker_deaths.inc()


def _labels(job: str) -> tuple[str, str]:
    return job.partition(".")[0], job
