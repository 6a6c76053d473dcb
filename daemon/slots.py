"""How much may run at once on this node: runs, and the database connections they declared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Slots:
    """What is free, never below zero, and what is used, which a reload with fewer slots may leave above the limit."""

    runs: int
    connections: int
    used_runs: int = 0
    used_connections: int = 0

    @property
    def free(self) -> int:
        return max(self.runs - self.used_runs, 0)

    @property
    def free_connections(self) -> int:
        return max(self.connections - self.used_connections, 0)

    def take(self, connections: int) -> None:
        self.used_runs += 1
        self.used_connections += connections

    def give_back(self, connections: int) -> None:
        self.used_runs -= 1
        self.used_connections -= connections
