"""AI providers over HTTP: how they are, whom to ask, and reports of calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from daemon import NotFound, Question, Unavailable, route, sql, to_json
from workers.tutoring.provider_watch import SOONEST_RELEASE, NoProviderAvailable, pick_provider

PROVIDERS, HISTORY, KNOWN, REPORT = sql.load(__file__, "providers", "history", "known", "report")

Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
HeaderValue = Annotated[str, StringConstraints(max_length=16_384, pattern=r"^[^\x00]*$")]
"""Longer than what is kept of it: an answer's other headers, such as policies, may be sent along."""
Tokens = Annotated[int, Field(ge=0, le=10**12)]
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))]
STRICT = ConfigDict(extra="forbid")


class Wish(BaseModel):
    """`leave_out`: providers that have just failed the caller."""

    model_config = STRICT
    leave_out: list[Text] = Field(default_factory=list, max_length=100)


class Call(BaseModel):
    """One call of a provider. `headers` are those of its answer, `status` its HTTP status, null for no answer;
    `body` is a refusal's. `request_id`: the caller's own name for the call, so that it may be reported twice."""

    model_config = STRICT
    status: int | None = Field(default=None, ge=100, le=599)
    headers: dict[Text, HeaderValue] = Field(default_factory=dict, max_length=200)
    body: Any = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    latency_ms: int | None = Field(default=None, ge=0, le=2**31 - 1)
    student_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    error: Text | None = None
    request_id: Text | None = None
    at: Instant | None = None


@route("/providers")
async def providers(question: Question) -> object:
    """Every provider: its state, what is used of its limits, who stands in for it, its last check and its uptime."""
    async with question.snapshot() as tables:
        rows = await tables.fetch(PROVIDERS, question.now())
    return [{**dict(row), "limits": json.loads(row["limits"])} for row in rows]


@route("/providers/{name}")
async def provider(question: Question, name: str) -> object:
    """One provider's changes of state and incidents, the newest first."""
    async with question.snapshot() as tables:
        if not await tables.fetchval(KNOWN, name):
            raise NotFound(f"there is no provider {name!r}")
        row = await tables.fetchrow(HISTORY, name)
    assert row is not None
    return {"name": name, **{part: json.loads(row[part]) for part in ("transitions", "incidents")}}


@route("/providers/pick", method="POST")
async def pick(question: Question, wish: Wish | None = None) -> object:
    """Whom to ask now; without a body nobody is left out. 503 with `Retry-After` when nobody has room."""
    now, leave_out = question.now(), wish.leave_out if wish is not None else []
    async with question.snapshot() as tables:
        try:
            return await pick_provider(tables, now, leave_out)
        except NoProviderAvailable as error:
            until = await tables.fetchval(SOONEST_RELEASE)
            raise Unavailable(str(error), until - now if until is not None and until > now else None) from error


@route("/providers/{name}/usage", role="operator", method="POST")
async def usage(question: Question, name: str, call: Call) -> object:
    """Report a call: what it used, and what the answer's headers said. `counted` is false for one reported before."""
    async with question.transaction() as tables:
        if not await tables.fetchval(KNOWN, name):
            raise NotFound(f"there is no provider {name!r}")
        body = None if call.body is None else to_json(call.body)
        counted = await tables.fetchval(
            REPORT, name, call.status, to_json(call.headers), body, call.input_tokens, call.output_tokens,
            call.latency_ms, call.student_id, call.error, call.request_id, call.at,
        )  # fmt: skip
    return {"counted": counted}
