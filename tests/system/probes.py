"""What a daemon answers over HTTP."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass

from tests.system.node import Node

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str

    def value(self, sample: str) -> float:
        """Of the one sample whose name and labels begin so. KeyError without one."""
        for line in self.body.splitlines():
            if line.startswith(sample) and line[len(sample)] in " {":
                return float(line.rpartition(" ")[2])
        raise KeyError(sample)


def get(node: Node, path: str) -> Answer:
    """Blocking, in a few milliseconds."""
    url = f"http://{node.environment['SEXTON_METRICS__LISTEN']}{path}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return Answer(answer.status, answer.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.read().decode())
