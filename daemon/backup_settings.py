"""The settings of backups: where they are kept and for how long, and how they are made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from daemon.setting_types import PositiveDuration, Section


def _absolute(text: str) -> str:
    if text and not Path(text).expanduser().is_absolute():
        raise ValueError("write a whole path, such as /var/backups/sexton")
    return text


Folder = Annotated[str, AfterValidator(_absolute)]


class BackupSettings(Section):
    """`directory` empty: `backups` in the state directory. `bindir` empty: PostgreSQL's programs are looked for."""

    directory: Folder = ""
    retention: Annotated[PositiveDuration, Field(ge=timedelta(days=1))] = timedelta(days=30)
    jobs: int = Field(default=2, ge=1, le=64)
    verify: bool = True
    bindir: Folder = ""
