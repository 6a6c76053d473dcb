"""SQL lives in `.sql` files beside the code, as statements under `-- name:` heads, loaded once at import."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from daemon.naming import did_you_mean

HEAD = re.compile(r"^-- name: *([a-z_][a-z0-9_]*) *$", re.MULTILINE)
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement. `place` is `file:name`, for messages."""

    name: str
    text: str
    place: str

    def __str__(self) -> str:
        return self.text

    def on(self, **identifiers: str) -> Statement:
        """The statement on another table: `{table}` becomes an identifier, checked and quoted.

        Queue tables belong to their suites, so the engine's queue statements name theirs this way,
        once, when the suite is loaded. Values never travel like this: they are parameters.
        """
        text = self.text
        for key, identifier in identifiers.items():
            if not IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{self.place}: {identifier!r} is not an identifier such as suite.table")
            text = text.replace("{" + key + "}", ".".join(f'"{part}"' for part in identifier.split(".")))
        return Statement(self.name, text, self.place)


def load(module_file: str, *names: str) -> tuple[Statement, ...]:
    """The named statements of the `.sql` file beside a module, in the order asked for.

    Raises `FileNotFoundError` without that file and `KeyError` for an unknown name: both at import,
    so a missing statement stops the start and not the third Tuesday.
    """
    path = Path(module_file).with_suffix(".sql")
    statements = parse(path)
    for name in names:
        if name not in statements:
            raise KeyError(f"{path} has no statement named {name!r}{did_you_mean(name, statements)}")
    return tuple(statements[name] for name in names)


def parse(path: Path) -> dict[str, Statement]:
    """Every statement of a file by name. Raises `ValueError` where a name stands twice."""
    parts = HEAD.split(path.read_text(encoding="utf-8"))
    statements: dict[str, Statement] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements:
            raise ValueError(f"{path}: two statements are named {name!r}")
        statements[name] = Statement(name, text.strip().rstrip(";"), f"{path.name}:{name}")
    return statements
