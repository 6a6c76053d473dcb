"""Suites that a test writes into its own folder, on the import path for as long as the test runs."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_numbers = itertools.count(1)
A_JOB = "from daemon import *\n\n@job({trigger})\nasync def {name}(ctx):\n    '''Do nothing.'''\n"


class House:
    """A package of suites, `package`, whose files the test writes."""

    def __init__(self, folder: Path) -> None:
        self.package = f"house_{next(_numbers)}"
        self.folder = folder / self.package
        self.write("__init__.py", "")

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        if not (init := file.parent / "__init__.py").exists():
            init.write_text("", encoding="utf-8")
        importlib.invalidate_caches()
        return file

    def job(self, path: str, trigger: str = "OnDemand()") -> Path:
        """`suite/name.py` with one job; `trigger` may carry options: `OnDemand(), retries=3`."""
        return self.write(path, A_JOB.format(trigger=trigger, name=Path(path).stem))

    def suite(self, name: str) -> str:
        return f"{self.package}.{name}"


@contextmanager
def house(folder: Path) -> Iterator[House]:
    built = House(folder)
    sys.path.insert(0, str(folder))
    try:
        yield built
    finally:
        sys.path.remove(str(folder))
        for module in [m for m in sys.modules if m.partition(".")[0] == built.package]:
            del sys.modules[module]
