"""The demo's sample, loaded by `sexton seed` in a process of its own.

Reading a sample holds the interpreter for a second or more, in which the daemon beside it would stand still.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from daemon.cli.common import CommandFailed
from daemon.cli.progress import progress_line

PROGRESS = re.compile(progress_line(r"\w+", "(.+)", r"(\d+)", r"(\d+)"))
COUNT = re.compile(r"^(.+): (\d+)$", re.MULTILINE)


def seed_command(suite: str, scale: float, config: Path | None) -> list[str]:
    where = ["--config", str(config)] if config is not None else []
    return [sys.executable, "-m", "daemon", "seed", suite, "--scale", str(scale), *where]


async def load_apart(seed: Sequence[str], progress: Callable[[str, int, int], None]) -> Mapping[str, int]:
    """Run it and pass its progress on; rows that were new, by what they are. Raises `CommandFailed` with its words."""
    process = await asyncio.create_subprocess_exec(
        *seed, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the demo, which then ends this
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    try:
        async for raw in process.stderr:
            said = raw.decode(errors="replace").strip()
            if step := PROGRESS.fullmatch(said):
                progress(step[1], int(step[2]), int(step[3]))
        counts = (await process.stdout.read()).decode()
        if await process.wait() != 0:
            raise CommandFailed(said.removeprefix("error: ") or f"sexton seed ended with status {process.returncode}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
    return {what: int(count) for what, count in COUNT.findall(counts)}
