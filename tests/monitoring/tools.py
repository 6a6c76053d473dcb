"""Prometheus and its promtool, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
PATIENCE = 60.0


def program(name: str) -> str:
    """Its path: on $PATH, or where `.ci/run` unpacks Debian's package. Skips the test without it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sexton/prometheus/usr/bin"
    found = shutil.which(name) or shutil.which(name, path=str(cache))
    if found is None:
        pytest.skip(f"no {name} here; .ci/run unpacks Debian's package prometheus, apt-get install has it too")
    return found


def promtool(*arguments: str, given: str | None = None, folder: Path = MONITORING) -> subprocess.CompletedProcess[str]:
    """Run it to its end; both streams as text."""
    return subprocess.run(
        [program("promtool"), *arguments], input=given, cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
