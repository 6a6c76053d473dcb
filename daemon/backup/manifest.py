"""What a backup says of itself: `manifest.json`, written last and before the rename, with a digest of its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from daemon.backup.errors import Damaged, TooNew
from daemon.version import VERSION

FORMAT = 1
FILE, DATA = "manifest.json", "data"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Table(_Part):
    """`checksum` is a sum over its rows as text, so that their order does not matter."""

    name: str
    rows: int
    checksum: str


class LargeObjects(_Part):
    """How many there are, and a sum over what is in them."""

    objects: int
    checksum: str


class StoredFile(_Part):
    """`path` within the backup."""

    path: str
    bytes: int
    sha256: str


class Manifest(_Part):
    """`objects` counts tables, indexes, functions and the like; `migrations` is the newest of each suite.
    `large_objects` None: made by a release that did not look at them.
    """

    format: int = FORMAT
    sexton: str = VERSION
    taken_at: AwareDatetime
    database: str
    postgresql: str
    pg_dump: str
    compression: str
    migrations: dict[str, int]
    tables: tuple[Table, ...]
    objects: dict[str, int]
    large_objects: LargeObjects | None = None
    files: tuple[StoredFile, ...] = Field(min_length=1)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def digest(self) -> str:
        return _digest(self._fields)

    @property
    def text(self) -> str:
        return json.dumps({**self._fields, "digest": self.digest}, indent=1, ensure_ascii=False) + "\n"

    @property
    def _fields(self) -> dict[str, Any]:
        """Without what its release did not know, so that its digest stays what it was and marks still fit."""
        return self.model_dump(mode="json", exclude_none=True)


def read(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Raises `Damaged` and `TooNew`."""
    path = folder / FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Damaged(f"{path}: is missing; without it nothing tells whether the backup is whole") from None
    except OSError as error:
        raise Damaged(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{path}: is cut off or changed: {error}") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
        raise Damaged(f"{path}: is no manifest of a backup")
    if fields["format"] > FORMAT:
        raise TooNew(
            f"{path}: made by sexton {fields.get('sexton', '?')} in format {fields['format']}; this is sexton "
            f"{VERSION}, which reads formats up to {FORMAT}: use that release or a newer one"
        )
    return _believed(path, fields)


def _believed(path: Path, fields: dict[str, Any]) -> Manifest:
    digest = fields.pop("digest", None)
    if digest != _digest(fields):
        raise Damaged(f"{path}: was changed after the backup was made: its digest does not fit")
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise Damaged(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
