"""The ways out of a node beside its work: probes, the public listener, alerts, the heartbeat, the direct alarm."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from daemon import node_status
from daemon.config import ConfigError
from daemon.database import DatabaseDown
from daemon.engine import Engine
from daemon.events import Announcer, Note
from daemon.health import unready, unwell
from daemon.loop_lag import LoopMonitor
from daemon.metrics import Metrics
from daemon.probes import ProbeServer
from daemon.setting_addresses import parse_listen
from daemon.supervisor import Service, run_for_ever

if TYPE_CHECKING:
    from daemon.admin.server import AdminServer
    from daemon.alerting import Alerting
    from daemon.direct_alarm import DirectAlarm
    from daemon.heartbeat import Heartbeat
    from daemon.hook_desk import HookDesk
    from daemon.public import PublicServer
    from daemon.scrape import Refresher

FLUSH_PATIENCE = 2.0


class PortTaken(Exception):
    """A port of ours cannot be bound."""

    def __init__(self, setting: str, listen: str, error: OSError) -> None:
        # asyncio words it at length, with the address once more.
        why = (
            os.strerror(error.errno) if error.errno and error.errno in errno.errorcode else error.strerror or str(error)
        )
        variable = f"SEXTON_{setting.upper().replace('.', '__')}"
        if error.errno == errno.EADDRINUSE:
            remedy = f"another daemon may run here: choose a free port in config.toml or with {variable}=127.0.0.1:0"
        else:
            remedy = (
                f"choose an address of this machine, and a port that may be opened, in config.toml or with {variable}"
            )
        super().__init__(f"{setting} = {listen!r}: {why}; {remedy}")


class Outlets:
    """`open` binds what others connect to, `serve` starts what goes on by itself, `close` is the end of both."""

    def __init__(self, engine: Engine, monitor: LoopMonitor, emit: Announcer, alarm: DirectAlarm | None) -> None:
        self._engine, self._monitor, self._emit = engine, monitor, emit
        self._alarm = alarm
        self._probes: ProbeServer | None = None
        self._refresh: Refresher | None = None
        self._public: PublicServer | None = None
        self._door: socket.socket | None = None
        self._admin_key = ""
        self._admin: AdminServer | None = None
        self._heartbeat: Heartbeat | None = None
        self._alerting: Alerting | None = None
        self.port: int | None = None
        self.public_port: int | None = None
        self.admin_port: int | None = None

    def _unready(self) -> list[str]:
        return unready(node_status.evidence(self._engine, self._monitor))

    async def open(self, metrics: Metrics) -> None:
        """Raises `PortTaken`, `NoKey` and, for suites' hooks, `ConfigError`, and closes nothing: the caller does."""
        settings = self._engine.settings
        if settings.metrics.listen != "off":
            self._open_probes(metrics, settings.metrics.listen)
        if settings.public.listen:
            await self._open_public(settings.public.listen, metrics)
        if settings.admin.enabled:
            self._open_admin(settings.admin.listen)

    def _open_probes(self, metrics: Metrics, listen: str) -> None:
        engine, monitor = self._engine, self._monitor
        server = ProbeServer(
            metrics.registry, unwell=lambda: unwell(node_status.evidence(engine, monitor)), unready=self._unready,
            refresh=self._refresher(metrics),
        )  # fmt: skip
        try:
            self.port = server.start(*parse_listen(listen))
        except OSError as error:
            raise PortTaken("metrics.listen", listen, error) from error
        self._probes = server

    def _refresher(self, metrics: Metrics) -> Refresher:
        from daemon.census import census_of
        from daemon.metrics_node import NodeMetrics
        from daemon.metrics_tables import TableMetrics
        from daemon.scrape import Refresher

        census = census_of(self._engine, self._emit)
        metrics.registry.register(NodeMetrics(self._engine, self._monitor))
        metrics.registry.register(TableMetrics(lambda: census.told))
        self._refresh = Refresher(census.take, asyncio.get_running_loop())
        return self._refresh

    async def _open_public(self, listen: str, metrics: Metrics) -> None:
        from daemon.public import PublicServer, recorder

        engine = self._engine
        secret = engine.settings.outbox.unsubscribe_secret.get_secret_value()
        server = PublicServer(secret, recorder(engine.post.store.link), self._emit, self._desk(metrics))
        try:
            self.public_port = await server.start(*parse_listen(listen))
        except OSError as error:
            raise PortTaken("public.listen", listen, error) from error
        self._public = server

    def _desk(self, metrics: Metrics) -> HookDesk:
        from daemon import suite_hooks
        from daemon.hook_desk import STATUSES, HookDesk

        catalogue = self._engine.catalogue
        problems: list[str] = []
        hooks = suite_hooks.read(catalogue.packages, problems)
        if problems:
            raise ConfigError(problems)
        metrics.introduce_hooks({path: found.suite for path, found in hooks.items()}, STATUSES)
        return HookDesk(hooks, catalogue.settings, self._engine.hook_link, self._emit)

    def _open_admin(self, listen: str) -> None:
        """Takes the key and the port; what serves it is made when the node is ready."""
        from daemon.admin.bound import bound
        from daemon.admin.keys import signing_key

        self._admin_key = signing_key(self._engine.settings)
        try:
            self._door = bound(listen)
        except OSError as error:
            raise PortTaken("admin.listen", listen, error) from error
        self.admin_port = int(self._door.getsockname()[1])
        host = listen.rpartition(":")[0]
        self._emit(
            Note("ADMIN", f"on http://{host}:{self.admin_port}; a token to log in with: sexton token --name NAME")
        )

    async def _serve_admin(self) -> float:
        """Made in a thread: FastAPI and its routes take half a second, which neither READY nor the loop waits for."""
        if self._admin is None:
            assert self._door is not None
            self._admin = await asyncio.to_thread(_admin_server, self._engine, self._door, self._admin_key)
        return await self._admin.step()

    def serve(self, tasks: TaskGroup) -> None:
        """Alerts always; admin, heartbeat and direct alarm where they are configured."""
        services = [self._alerts()]
        if self._door is not None:
            services.append(Service("admin", self._serve_admin))
        alerts = self._engine.settings.alerts
        if alerts.heartbeat_url:
            from daemon.heartbeat import Heartbeat

            self._heartbeat = Heartbeat(alerts.heartbeat_url, alerts.heartbeat_every, self._unready, self._emit)
            services.append(Service("heartbeat", self._heartbeat.step))
        if self._alarm is not None:
            self._alarm.outage = self._engine.outage
            self._emit.subscribe(self._alarm.hear)
            services.append(Service("direct alarm", self._alarm.step, self._alarm.pulse))
        for service in services:
            tasks.start_soon(run_for_ever, service, self._engine.outage, self._emit, name=service.name)

    def _alerts(self) -> Service:
        from daemon.alerting import Alerting, receivers_of

        engine = self._engine
        self._alerting = Alerting(
            engine.post.store.link, receivers_of(engine.settings), engine.catalogue.queues, engine.lease.name,
            engine.clock.now,
        )  # fmt: skip
        self._emit.subscribe(self._alerting.hear)
        return Service("alerts", self._alerting.step, self._alerting.pulse)

    async def drain(self) -> None:
        """Strangers are served no more; what they are being answered is finished."""
        server, self._public = self._public, None
        if server is not None:
            await server.stop()

    async def close(self) -> None:
        """Before the engine closes: the last troubles are written while there is a database to write to."""
        async with AsyncExitStack() as stack:
            if self._probes is not None:
                stack.callback(self._probes.stop)
            if self._refresh is not None:
                stack.callback(self._refresh.stop)
            if self._heartbeat is not None:
                stack.push_async_callback(self._heartbeat.aclose)
            if self._door is not None:
                self._door.close()
            await self.drain()
            await self._flush()

    async def _flush(self) -> None:
        if self._alerting is None or not self._alerting.pending or self._engine.outage.known:
            return
        with anyio.move_on_after(FLUSH_PATIENCE):
            try:
                await self._alerting.step()
            except DatabaseDown:
                return  # it went this moment; the log has said what there was to tell


def _admin_server(engine: Engine, taken: socket.socket, key: str) -> AdminServer:
    from daemon.admin.server import admin_server

    made = admin_server(engine, taken, key)
    gc.freeze()  # it is half of all there is; looking through it again and again keeps everybody waiting for 50 ms
    return made
