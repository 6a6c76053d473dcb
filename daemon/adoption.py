"""What a suite needs of tables that were there before it: `adoption.toml` in its folder, read and put in words.

An operator puts views of those tables under the names that the suite uses. See docs/adopting.md.
"""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "adoption.toml"
Type = Literal["text", "integer", "bigint", "numeric", "boolean", "timestamptz", "date", "time", "jsonb", "text[]"]
Event = Literal["insert", "update", "delete"]


class Relation(BaseModel):
    """A table or view of the suite's schema: its columns with their types, and what is done beyond reading them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    columns: dict[str, Type]
    locks: bool = False
    deletes: bool = False
    updates: tuple[str, ...] = ()
    inserts: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = {}

    def privileges(self) -> Iterator[str]:
        """As GRANT writes them. A row is locked with the right to update any of its columns."""
        yield "SELECT"
        if self.inserts:
            yield "INSERT"
        if self.updates:
            yield f"UPDATE ({', '.join(self.updates)})"
        elif self.locks:
            yield f"UPDATE ({self.key})"
        if self.deletes:
            yield "DELETE"


@dataclass(frozen=True, slots=True)
class Adoption:
    """`triggers`: function of the suite → events on which a trigger has to call it."""

    suite: str
    folder: Path
    relations: Mapping[str, Relation]
    triggers: Mapping[str, tuple[Event, ...]]

    def grants(self) -> Iterator[str]:
        """What the daemon's role needs where it does not own the relations, as statements."""
        for name, relation in self.relations.items():
            yield f"GRANT {', '.join(relation.privileges())} ON {self.suite}.{name} TO the_daemons_role;"


class NotAdoptable(Exception):
    """The suite does not say what it needs of tables that are there already, or says it wrongly."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    relations: dict[str, Relation]
    triggers: dict[str, tuple[Event, ...]] = {}


def file_of(package: str) -> Path | None:
    """The suite's `adoption.toml`; None where it has tables of its own only."""
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or []]
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def adoption_of(suite: str, package: str) -> Adoption:
    """Raises `NotAdoptable`; `package` is the suite's import name."""
    path = file_of(package)
    if path is None:
        raise NotAdoptable(f"{suite} keeps its data in tables of its own: {package} has no {FILE}")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        triggers = given.pop("triggers", {})
        read = _File(relations=given, triggers=triggers)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise NotAdoptable(f"{path}: {error}") from error
    for name, relation in read.relations.items():
        named = {relation.key, *relation.updates, *relation.inserts, *relation.values}
        if unknown := sorted(named - relation.columns.keys()):
            raise NotAdoptable(f"{path}: {name}: {', '.join(unknown)} is not among its columns")
    return Adoption(suite, path.parent, read.relations, read.triggers)
