"""The wording of everything that happened: events in, lines out. JSON for machines, colour for a terminal."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from daemon import events as e
from daemon.log_words import words

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

Line = Callable[..., None]


def configure(level: str, form: str, stream: TextIO = sys.stderr) -> structlog.typing.FilteringBoundLogger:
    """Set up the process's logging and return the logger that events are written with."""
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final = _as_json(stream) if as_json else _as_text(coloured)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    for noisy in ("httpx", "httpcore", "asyncio", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(LEVELS[level], logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("sexton")
    return logger


def _as_json(stream: TextIO) -> list[Processor]:
    rendered: list[Processor] = [
        _area_first,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]
    return [*rendered, _journald_priority] if _is_the_journals(stream) else rendered


def _as_text(coloured: bool) -> list[Processor]:
    """Tracebacks are plain: rich shows the local variables of each frame, and keys and tokens with them."""
    plain = structlog.dev.plain_traceback
    return [_area_in_text, structlog.dev.ConsoleRenderer(colors=coloured, pad_event_to=0, exception_formatter=plain)]


def _is_the_journals(stream: TextIO) -> bool:
    """`$JOURNAL_STREAM` names it by device and inode; whoever writes elsewhere inherits the variable, too."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:  # nothing with a number, such as a StringIO
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class LogSubscriber:
    """Writes each event as one line, unless the level says not to.

    Due instants that share a fate, as those of a backlog do, are one line with their number.
    """

    def __init__(self, logger: structlog.typing.FilteringBoundLogger, level: str) -> None:
        self._logger = logger
        self._threshold = LEVELS[level]
        self._settled: dict[tuple[str, str, str], e.InstantsSettled] = {}

    def __call__(self, event: e.Event) -> None:
        if isinstance(event, e.RunStarted) and self._threshold > LEVELS["debug"]:
            return  # the commonest event of all; its end tells the same
        if isinstance(event, e.InstantsSettled):
            self._collect(event)
        else:
            self._write(event)

    def _collect(self, event: e.InstantsSettled) -> None:
        """They are announced one after the other, without a turn of the loop between: told together at the next."""
        if not self._settled:
            try:
                asyncio.get_running_loop().call_soon(self._tell_settled)
            except RuntimeError:  # nobody to wait for
                self._write(event)
                return
        key = (event.job, event.state, event.reason)
        first = self._settled.get(key)
        self._settled[key] = replace(first, count=first.count + event.count) if first is not None else event

    def _tell_settled(self) -> None:
        settled, self._settled = self._settled, {}
        for event in settled.values():
            self._write(event)

    def _write(self, event: e.Event) -> None:
        said = words(event)
        if said is not None and LEVELS[said.level] >= self._threshold:
            getattr(self._logger, said.level)(said.text, area=said.area, **said.fields)


def _area_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    area = event.pop("area", None)
    text = event.pop("event")
    return {"level": event.pop("level", "info"), "event": f"[{area}] {text}" if area else text, **event}


def _area_in_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    area = event.pop("area", None)
    if area:
        event["event"] = f"[{area}] {event['event']}"
    return event


def _journald_priority(_logger: WrappedLogger, _method: str, rendered: Any) -> Any:
    """`<4>…`: journald reads the syslog priority from the front of a line."""
    level = next((word for word in PRIORITIES if f'"level": "{word}"' in rendered[:40]), "info")
    return f"<{PRIORITIES[level]}>{rendered}"
