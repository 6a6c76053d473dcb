"""Waiting for a run to end, and saying how it did."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from daemon import in_words, sql
from daemon.cli import output
from daemon.cli.common import CommandFailed

(OUTCOME,) = sql.load(__file__, "outcome")

TERMINAL = ("succeeded", "failed", "skipped", "missed", "cancelled")
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
ABANDONED_AFTER = 3.0
"""Seconds without a live node before we stop waiting: a daemon that restarts is back by then."""
UNCLAIMED_AFTER = 5.0
"""Seconds after which a run that nothing holds up, and that nobody begins, is worth a word."""

Alive = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Ended:
    """The run's row when the waiting was over; `left` says why it was over early, None if the run has ended."""

    row: asyncpg.Record
    left: str | None = None


@asynccontextmanager
async def stoppable() -> AsyncIterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of tearing down what is being done."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def wait_for(
    connection: asyncpg.Connection, run: int, alive: Alive, stop: asyncio.Event, *, patience: float = float("inf"),
    alone: bool = False,
) -> Ended:  # fmt: skip
    """Look until the run has ended or is held, nobody is left to perform it, `patience` is over, or `stop` is set.

    `alone`: only this process performs anything, so what comes first and does not run will not. Raises
    `CommandFailed` when the run's row is gone.
    """
    pause, began, last_alive, told = FIRST_PAUSE, time.monotonic(), time.monotonic(), ""
    while True:
        row = await connection.fetchrow(OUTCOME.text, run)
        if row is None:
            raise CommandFailed(f"run {run} does not exist any more")
        now = time.monotonic()
        if (over := _over(row, run)) is not None:
            return over
        if (news := _progress(row, 0.0 if alone else now - began)) not in ("", told):
            output.note(news)
            told = news
        if alone and row["state"] == "ready" and row["before_state"] not in (None, "running"):
            return Ended(row, f"{news}; the next daemon takes it after that")
        if await alive():
            last_alive = now
        elif now - last_alive > ABANDONED_AFTER:
            return Ended(row, "no daemon is running any more; a daemon that starts will take it")
        if now - began > patience:
            return Ended(row, f"it is still {row['state']} after {patience:g} s")
        if stop.is_set():  # looked at once more after that, so that what is told is true now
            return Ended(row, "not waiting any longer; the run goes on")
        await _sleep(stop, pause)
        pause = min(pause * 1.3, LONGEST_PAUSE)


def _over(row: asyncpg.Record, run: int) -> Ended | None:
    """A run that is held waits for a person, who may well be the one who waits for the run."""
    if row["state"] in TERMINAL:
        return Ended(row)
    if row["state"] == "held":
        return Ended(row, f"{row['reason']}; decide: sexton release {run}, or sexton waive {run}")
    return None


def _progress(row: asyncpg.Record, waited: float) -> str:
    """Why a run that is ready does not start yet; `waited`: seconds in which others could have begun it."""
    if row["state"] != "ready":
        return ""
    if row["before"] is not None:
        first = f"run {row['before']} of {row['job']} comes first, and is {row['before_state']}"
        settle = " (sexton retry or waive)" if row["before_state"] in TERMINAL else ""
        return first + settle
    if row["failures"]:
        return f"try {row['attempt']} failed: {row['error']}; the next is at {in_words.moment(row['not_before'])}"
    if waited > UNCLAIMED_AFTER:
        return f"nobody has begun it yet: every slot may be taken, or no running daemon has {row['job']}"
    return ""


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    """So long, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def report(ended: Ended, run: int) -> int:
    """Print the outcome and return the exit status: 0 only if the run succeeded."""
    row, state = ended.row, ended.row["state"]
    if ended.left is not None:
        output.note(f"run {run} is {state}: {ended.left}")
        return 1
    took = f" in {in_words.duration(row['duration_s'])}" if row["duration_s"] is not None else ""
    why = row["error"] if state == "failed" else row["reason"]
    tries = f" after {row['attempt']} tries" if state == "failed" and row["attempt"] > 1 else ""
    print(f"{state}{took}{tries}" + (f": {why}" if why else ""))
    if state == "succeeded" and row["result"] is not None:
        print(json.dumps(json.loads(row["result"]), indent=2, ensure_ascii=False))
    return 0 if state == "succeeded" else 1
