"""AI providers of a test: what they answer, how their checks go, and in which state the suite has them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from daemon import Job
from tests.workers.tutoring.school import School
from workers.tutoring.provider_readings import provider_readings
from workers.tutoring.rate_limit_monitor import rate_limit_monitor

REPORT = "SELECT tutoring.report_usage($1, $2, $3::jsonb, at => $4, input_tokens => $5, request_id => $6)"


@dataclass
class Providers:
    school: School
    _runs: Iterator[int] = field(default_factory=itertools.count)

    async def succeed(self, job: Job, at: datetime, **options: Any) -> Any:
        """The result of a run of which there may be several at one instant."""
        return await self.school.succeed(job, at + timedelta(microseconds=next(self._runs)), now=at, **options)

    async def report(
        self, name: str, headers: Mapping[str, str], at: datetime, *, status: int = 200, tokens: int | None = None,
        request_id: str | None = None,
    ) -> bool:  # fmt: skip
        """As an application would: in one statement."""
        return bool(await self.school.value(REPORT, name, status, json.dumps(headers), at, tokens, request_id))

    async def uses(self, name: str, percent: float, at: datetime, *, until: datetime | None = None) -> None:
        """An answer, read at once: Anthropic's, or of one that speaks as OpenAI does."""
        until = until or at + timedelta(minutes=1)
        headers = requests(percent, until - at)
        if name == "anthropic":
            headers = {
                "anthropic-ratelimit-requests-limit": "10000", "anthropic-ratelimit-requests-reset": until.isoformat(),
                "anthropic-ratelimit-requests-remaining": str(round(10_000 - 100 * percent)),
            }  # fmt: skip
        await self.report(name, headers, at)
        await self.read(at)

    async def read(self, at: datetime) -> Any:
        return await self.succeed(provider_readings, at)

    async def monitor(self, at: datetime, **options: Any) -> Any:
        return await self.succeed(rate_limit_monitor, at, **options)

    async def check(self, name: str, at: datetime, verdict: str = "up") -> None:
        await self.school.connection.execute(
            "INSERT INTO tutoring.provider_check (provider_id, checked_at, ok, verdict) "
            "SELECT id, $2, $3, $4 FROM tutoring.ai_provider WHERE name = $1",
            name, at, verdict in ("up", "limited"), verdict,
        )  # fmt: skip

    async def state(self, name: str) -> tuple[Any, ...]:
        """State, percentage, who stands in."""
        (row,) = await self.school.rows(
            "SELECT s.state, (s.usage * 100)::float, f.name FROM tutoring.provider_status s "
            "JOIN tutoring.ai_provider p ON p.id = s.provider_id "
            "LEFT JOIN tutoring.ai_provider f ON f.id = s.fallback_id WHERE p.name = $1",
            name,
        )
        return row

    async def asked(self, at: datetime, *leave_out: str) -> str | None:
        found = await self.school.value("SELECT name FROM tutoring.pick_provider($1, $2)", at, list(leave_out))
        return None if found is None else str(found)

    async def alerts(self) -> list[str]:
        """The sentences told to one of the administrators, in their order."""
        rows = await self.school.rows(
            "SELECT coalesce(data ->> 'sentence', template) FROM sexton.outbox "
            "WHERE address = 'ada@example.org' AND kind = 'alert' ORDER BY id"
        )
        return [row[0] for row in rows]


def requests(percent: float, reset: timedelta) -> dict[str, str]:
    """Headers of one that speaks as OpenAI does; both limits would be half full otherwise."""
    return {
        "X-RateLimit-Limit-Requests": "10000", "X-RateLimit-Remaining-Requests": str(round(10_000 - 100 * percent)),
        "X-RateLimit-Reset-Requests": f"{reset.total_seconds():.3f}s", "Set-Cookie": "secret=1",
        "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "999", "x-ratelimit-reset-tokens": "1ms",
    }  # fmt: skip
