"""`python -m bench [NAME…]`: run benches, print their tables, write bench/results/NAME.json."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import signal
import time
from pathlib import Path

import uvloop

from bench.measure import load, machine
from bench.report import RESULTS, Progress, Result, publish
from bench.stage import Options, stage

BENCHES = {
    "ingest": "real flights from queue to committed charges, against rating and COPY alone, and a plain loop",
    "queue": "20,000 no-op items against a bare claim-and-delete loop, and pick-up latency",
    "lateness": "1,000 jobs each second, 10,000 at once every ten seconds, against a batch loop and APScheduler",
    "payout": "a million investments paid, against one bare statement and a loop over rows; memory and loop lag",
    "outbox": "20,000 mails to an SMTP server on loopback, against a bare aiosmtplib loop",
    "payments": "10,000 stale payments at the provider's limit; 500 webhook calls a second, against a bare handler",
    "locks": "a million expired locks deleted while customers check out, against one bare statement",
    "tutoring": "a million calls summed up, memories removed and messages moved, against bare statements",
    "analytics": "a day of a million people with ten million sessions counted, against bare statements; loop lag",
    "reminders": "a tick of each reminder with a million people in it, against bare statements; loop lag",
    "idle": "CPU and memory of a daemon with nothing to do; start to READY; SIGTERM to exit",
}


def arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:10} {about}" for name, about in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"benches:\n{listed}\n\nAll of them take about an hour. Figures are medians; look at ratios.",
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all of them by default")
    parser.add_argument("--quick", action="store_true", help="tiny and meaningless, to see that it works")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=60, help="of a measured window (default 60)")
    parser.add_argument(
        "--scale",
        type=float,
        default=1,
        help="of payout, outbox, payments, locks, tutoring, analytics and reminders: 0.1 is a tenth of the data",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON (default bench/results)")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHES]:
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    return given


async def run(name: str, options: Options, folder: Path) -> Result:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # its servers and children end with it
    progress = Progress(name)
    begun, before = time.monotonic(), load()
    progress("starting a PostgreSQL of its own")
    async with stage(options, progress) as place:
        result: Result = await importlib.import_module(f"bench.{name}").run(place)
        about = machine(place.server.version)
    progress.done()
    publish(result, about, folder, took=time.monotonic() - begun, load=(before, load()))
    return result


def main() -> None:
    given = arguments()
    options = Options(given.quick, 1 if given.quick else given.rounds, given.seconds, given.scale)
    for name in given.names or BENCHES:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(name, options, given.results))


if __name__ == "__main__":
    main()
