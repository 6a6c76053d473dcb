"""What a token allows: each role may do what those below it may."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """`viewer` looks, `operator` acts on jobs, runs and queues, `admin` stops everything and decides about tokens."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """Raises `ValueError` with the roles there are."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"{word!r} is no role: viewer, operator or admin") from None
