"""What a node knows of itself without asking anybody, read when somebody scrapes. From the probes' thread."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

from prometheus_client.core import SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from daemon import node_status
from daemon.backup.errors import BackupError
from daemon.backup.glance import Glance
from daemon.backup.shelf import Shelf
from daemon.clock import utc_now
from daemon.engine import Engine
from daemon.health import unready
from daemon.loop_lag import LoopMonitor
from daemon.metric_families import counter, gauge, gauges


class NodeMetrics(Collector):
    def __init__(self, engine: Engine, monitor: LoopMonitor) -> None:
        self._engine, self._monitor = engine, monitor
        self._backups = Glance(Shelf(engine.settings.backup_directory))

    def collect(self) -> Iterator[Metric]:
        yield from _node(self._engine, self._monitor)
        yield from _database(self._engine)
        yield from _lease(self._engine)
        yield from _pool(self._engine)
        yield from _state_directory(self._engine)
        yield from _backups(self._backups)


def _node(engine: Engine, monitor: LoopMonitor) -> Iterator[Metric]:
    ready = not unready(node_status.evidence(engine, monitor))
    yield gauge("sexton_node_ready", "1 while the node takes work: what /readyz says", ready)
    yield gauge("sexton_node_draining", "1 from the signal to stop until the end", not engine.claiming)
    lag = max(monitor.lag, monitor.standing_still())
    yield gauge("sexton_event_loop_lag_seconds", "How far the event loop is behind", lag)
    yield gauge("sexton_slots_used", "Runs that this node performs", engine.slots.used_runs)
    yield gauge("sexton_slots_limit", "Runs that it may perform at once (node.slots)", engine.slots.runs)


def _database(engine: Engine) -> Iterator[Metric]:
    yield gauge("sexton_database_up", "1 while the database answers", not engine.outage.known)
    jobs = engine.connections
    states = {("used",): float(jobs.used), ("idle",): float(jobs.idle)}
    yield gauges("sexton_database_connections", "Connections of job bodies", ("state",), states)
    yield gauge("sexton_database_connections_limit", "How many there may be (database.pool)", jobs.size)
    yield gauge("sexton_database_connections_waiting", "Bodies that wait for a connection", jobs.waiting)
    text = "How long bodies waited for a connection"
    yield SummaryMetricFamily(
        "sexton_database_connection_wait_seconds", text, count_value=jobs.handed_out, sum_value=jobs.waited
    )
    if (apart := engine.clock.apart(utc_now())) is not None:
        text = "The database's clock less this node's"
        yield gauge("sexton_clock_difference_seconds", text, apart.total_seconds())
    listener = engine.listener
    yield gauge("sexton_listen_up", "1 while LISTEN hears its own echo", listener.healthy)
    heard = time.monotonic() - listener.heard
    yield gauge("sexton_listen_echo_age_seconds", "Since LISTEN last heard its own echo, or was begun", heard)


def _lease(engine: Engine) -> Iterator[Metric]:
    yield gauge("sexton_lease_held", "1 while this node may work", engine.lease.holds)
    yield counter("sexton_lease_renewals", "Lease renewals", engine.lease.renewals)


def _pool(engine: Engine) -> Iterator[Metric]:
    stats = engine.pool.stats()
    states = {("busy",): float(stats.busy), ("idle",): float(stats.idle), ("starting",): float(stats.starting)}
    yield gauges("sexton_pool_workers", "Worker processes", ("state",), states)
    yield gauge("sexton_pool_workers_limit", "How many there may be (pool.size)", stats.size)
    yield gauge("sexton_pool_calls_waiting", "Calls that wait for a worker", stats.queued)
    yield counter("sexton_pool_calls", "Calls that were answered, by a value or an error", stats.tasks)
    yield counter("sexton_pool_worker_deaths", "Workers that died or were killed", stats.died)
    yield counter("sexton_pool_workers_recycled", "Workers replaced at a limit", stats.recycled)


def _backups(glance: Glance) -> Iterator[Metric]:
    """Of the directory, which nodes should share. A directory that cannot be read tells nothing, which is an alert."""
    try:
        count, newest = glance.look()
    except BackupError:
        return
    yield gauge("sexton_backups_kept", "Backups in the directory", count)
    text = "The instant whose state the newest verified backup holds; 0 while there is none"
    at = newest.taken_at.timestamp() if newest is not None else 0
    yield gauge("sexton_backup_last_verified_timestamp_seconds", text, at)
    yield gauge("sexton_backup_last_verified_bytes", "How big it is", newest.bytes if newest is not None else 0)


def _state_directory(engine: Engine) -> Iterator[Metric]:
    try:
        disk = shutil.disk_usage(engine.settings.state_dir)
    except OSError:  # not there yet, or not ours to see: nothing to tell
        return
    yield gauge("sexton_state_directory_free_bytes", "Room on the disk of the state directory", disk.free)
    yield gauge("sexton_state_directory_size_bytes", "Size of that disk", disk.total)
