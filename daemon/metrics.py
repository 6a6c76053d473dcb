"""Events in, Prometheus out. Labels are bounded (suite, job_name, outcome, queue, state …); never an id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
from daemon.connections import WRITES
from daemon.doorkeeper import TurnedAway

JOB = ("suite", "job_name")
OUTCOMES = (
    "succeeded", "failed", "timed_out", "retrying", "cancelled", "interrupted", "fenced", "database_lost",
    "skipped", "missed", "held",
)  # fmt: skip
ITEM_OUTCOMES = ("done", "failed", "dead", "postponed")
MESSAGE_CHANNELS = ("email", "sms", "slack", "discord")
MESSAGE_STATES = ("pending", "sending", "failed", "unknown")
MESSAGE_ENDS = ("sent", "failed", "suppressed", "unknown", "pending")
BACKUP_OUTCOMES = ("verified", "unverified", "failed")
LISTENERS = ("public", "admin")
DURATIONS = (0.05, 0.25, 1, 5, 15, 60, 300, 900, 1800, 3600)
LATENESSES = (0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 3600)
"""Few, because each is a series of every job: with a thousand jobs a bucket is 100 kB a scrape."""


@dataclass(frozen=True, slots=True)
class RunMeters:
    """What the runs of one job are measured by. Looked up once: by its labels that takes longer than to count."""

    running: Gauge
    lateness: Histogram
    duration: Histogram


class Metrics:
    """A registry of its own, so that tests and twins share no numbers. What is read at a scrape is registered later."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._define_runs(self.registry)
        self._define_queues(self.registry)
        self._define_hooks(self.registry)
        self._define_node(self.registry)
        self._meters: dict[str, RunMeters] = {}
        Info("sexton_build", "Version of the daemon", registry=self.registry).info({"version": version})

    def _define_runs(self, registry: CollectorRegistry) -> None:
        self.runs = Counter("sexton_runs", "Ends of due instants and tries", (*JOB, "outcome"), registry=registry)
        self.duration = Histogram(
            "sexton_run_duration_seconds", "How long a try took", JOB, buckets=DURATIONS, registry=registry
        )
        self.lateness = Histogram(
            "sexton_run_lateness_seconds", "Start less due instant, first tries", JOB, buckets=LATENESSES,
            registry=registry,
        )  # fmt: skip
        self.retries = Counter("sexton_job_retries", "Tries that will be repeated", JOB, registry=registry)
        self.missed = Counter("sexton_job_missed_fires", "Due instants that will never run", JOB, registry=registry)
        self.forsaken = Counter(
            "sexton_job_forsaken_runs", "Bodies that did not end when they were told to", JOB, registry=registry
        )
        self.rows = Counter("sexton_job_rows", "Rows that runs wrote and committed", (*JOB, "op"), registry=registry)
        self.running = Gauge("sexton_job_running", "Runs of this job on this node", JOB, registry=registry)

    def _define_queues(self, registry: CollectorRegistry) -> None:
        self.items = Counter("sexton_queue_items", "Items this node settled", ("queue", "outcome"), registry=registry)
        self.settled = Counter("sexton_outbox", "Messages this node settled", ("channel", "status"), registry=registry)
        self.channel_up = Gauge(
            "sexton_channel_up", "0 while the channel is known to be away", ("channel",), registry=registry
        )

    def _define_hooks(self, registry: CollectorRegistry) -> None:
        self.hooks = Counter(
            "sexton_hook_calls", "Calls from outside to suites' hooks, by the status they were answered with",
            ("suite", "path", "status"), registry=registry,
        )  # fmt: skip
        self.turned_away = Counter(
            "sexton_connections_turned_away", "Whoever came while the listener was full, and was told to come again",
            ("listener",), registry=registry,
        )  # fmt: skip
        for listener in LISTENERS:
            self.turned_away.labels(listener)

    def _define_node(self, registry: CollectorRegistry) -> None:
        self.outages = Counter("sexton_database_outages", "Times the database was lost", registry=registry)
        self.listen_losses = Counter("sexton_listen_losses", "Times LISTEN was lost", registry=registry)
        self.lost_leases = Counter("sexton_lease_losses", "Leases lost", registry=registry)
        self.rescues = Counter("sexton_rescued_runs", "Runs taken over from dead nodes", registry=registry)
        self.stalls = Counter(
            "sexton_event_loop_stalls", "Times the event loop stood still for over a second", registry=registry
        )
        self.backups = Counter("sexton_backups", "Backups this node made or verified, and failures", ("outcome",),
                               registry=registry)  # fmt: skip
        for outcome in BACKUP_OUTCOMES:
            self.backups.labels(outcome)
        self.clock_steps = Counter("sexton_clock_steps", "Times the database's clock leapt", registry=registry)
        self.service_failures = Counter(
            "sexton_service_failures", "Errors of the daemon's own services", ("service",), registry=registry
        )

    def introduce(self, jobs: Iterable[str], queues: Iterable[str], services: Iterable[str] = ()) -> None:
        """Every counter exists at 0 before anything happens, so that the first increase is seen. What only a run can
        count exists from its job's first run here on: of a thousand jobs most do not run on this node this hour.
        """
        for name in jobs:
            labels = job_labels(name)
            for outcome in OUTCOMES:
                self.runs.labels(*labels, outcome)
            for family in (self.retries, self.missed, self.forsaken, self.running):
                family.labels(*labels)
        for queue in queues:
            for outcome in ITEM_OUTCOMES:
                self.items.labels(queue, outcome)
        for service in services:
            self.service_failures.labels(service)

    def introduce_channels(self, channels: Iterable[str]) -> None:
        """A channel is taken to be there until a message finds that it is not."""
        for channel in channels:
            self.channel_up.labels(channel).set(1)
            for status in MESSAGE_ENDS:
                self.settled.labels(channel, status)

    def introduce_hooks(self, hooks: Mapping[str, str], statuses: Iterable[int]) -> None:
        """`hooks`: path → suite."""
        for path, suite in hooks.items():
            for status in statuses:
                self.hooks.labels(suite, path, str(status))

    def __call__(self, event: e.Event) -> None:
        match event:
            case e.RunStarted(job=job, lateness=lateness, attempt=attempt, trigger=trigger):
                meters = self._meters_of(job)
                meters.running.inc()
                if attempt == 1 and trigger == "schedule":  # a run by hand may be due years ago
                    meters.lateness.observe(lateness)
            case e.RunEnded():
                self._ended(event)
            case e.RunGivenUp(job=job):
                self.runs.labels(*job_labels(job), "failed").inc()
            case e.RunForsaken(job=job):
                self.forsaken.labels(*job_labels(job)).inc()
            case e.InstantsSettled(job=job, state=state, count=count):
                self.runs.labels(*job_labels(job), state).inc(count)
                if state == "missed":
                    self.missed.labels(*job_labels(job)).inc(count)
            case _:
                self._of_queues(event)
                self._of_node(event)

    def _meters_of(self, job: str) -> RunMeters:
        """From the job's first run here on they exist, and so do its counts of rows, at 0."""
        if job not in self._meters:
            labels = job_labels(job)
            for op in WRITES:
                self.rows.labels(*labels, op)
            self._meters[job] = RunMeters(
                self.running.labels(*labels), self.lateness.labels(*labels), self.duration.labels(*labels)
            )
        return self._meters[job]

    def _of_queues(self, event: e.Event) -> None:
        match event:
            case e.ItemsFinished(queue=queue, done=done, failed=failed, dead=dead, postponed=postponed):
                for outcome, n in zip(ITEM_OUTCOMES, (done, failed, dead, postponed), strict=True):
                    self.items.labels(queue, outcome).inc(n)
            case e.MessagesSettled(channel=channel, state=state, count=count):
                self.settled.labels(channel, state).inc(count)
            case e.HookAnswered(suite=suite, path=path, status=status):
                self.hooks.labels(suite, path, str(status)).inc()
            case TurnedAway(listener=listener):
                self.turned_away.labels(listener).inc()
            case e.ChannelDown(channel=channel) | e.ChannelDisabled(channel=channel):
                self.channel_up.labels(channel).set(0)
            case e.ChannelBack(channel=channel):
                self.channel_up.labels(channel).set(1)

    def _ended(self, event: e.RunEnded) -> None:
        labels, meters = job_labels(event.job), self._meters_of(event.job)
        self.runs.labels(*labels, event.outcome.replace(" ", "_")).inc()
        meters.duration.observe(event.seconds)
        meters.running.dec()
        if event.outcome == "retrying":
            self.retries.labels(*labels).inc()
        for op, rows in event.written.items():
            self.rows.labels(*labels, op).inc(rows)

    def _of_node(self, event: e.Event) -> None:
        match event:
            case e.DatabaseLost():
                self.outages.inc()
            case e.ListenLost():
                self.listen_losses.inc()
            case e.LeaseLost():
                self.lost_leases.inc()
            case e.Rescued(runs=runs):
                self.rescues.inc(runs)
            case e.LoopLagged():
                self.stalls.inc()
            case e.ClockStepped():
                self.clock_steps.inc()
            case e.BackupMade(verified=verified):
                self.backups.labels("verified" if verified else "unverified").inc()
            case e.BackupFailed():
                self.backups.labels("failed").inc()
            case e.ServiceFailed(service=service):
                self.service_failures.labels(service).inc()


def job_labels(job: str) -> tuple[str, str]:
    """The suite and the job's whole name."""
    return job.partition(".")[0], job
