"""A sentence by an AI provider at the end of students' weekly summaries, as long as time and providers allow."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from daemon import Context, sql, tally
from workers.tutoring.completions import NoSentenceError, Sentence, request, sentence
from workers.tutoring.settings import Settings

if TYPE_CHECKING:
    import httpx

NOT_CONFIGURED, PICK, NEXT_SUMMARIES, ADD_SENTENCES, REPORT_CALLS = sql.load(
    __file__, "not_configured", "pick", "next_summaries", "add_sentences", "report_calls"
)

AT_ONCE = 10
ANSWER_WITHIN = 15.0
"""Seconds for one answer, all of it."""
LARGEST_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Provider:
    """One of the chain, with what it takes to ask it."""

    name: str
    kind: str
    base_url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request and what came of it: `sentence`, or `error`. `status` None: there was no answer."""

    student: int
    provider: str
    latency_ms: int
    status: int | None = None
    headers: str = "{}"
    sentence: Sentence | None = None
    error: str | None = None


async def add_sentences(ctx: Context, week: date, after: int) -> None:
    """Ask for the summaries of students above `after`, some at once, until all have a sentence, the time is over or
    nobody answers. What has none keeps the text it has; no error of a provider's is one of the run's."""
    settings: Settings = ctx.settings
    usable = {name: model for name, model in settings.summaries.models.items() if name in settings.keys}
    for name in settings.summaries.models.keys() - usable.keys():
        ctx.log.warning("suite.tutoring.summaries.models names %s, of which there is no key: it is not asked", name)
    until = time.monotonic() + settings.summaries.minutes * 60
    left = settings.summaries.at_most if usable else 0
    async with ctx.snapshot() as reader:
        silent: list[str] = await reader.fetchval(NOT_CONFIGURED, list(usable))
    while left > 0 and time.monotonic() < until:
        async with ctx.snapshot() as reader:
            rows = await reader.fetch(NEXT_SUMMARIES, week, after, min(AT_ONCE, left))
        if not rows:
            return
        prompts = {row["student_id"]: prompt(json.loads(row["payload"])) for row in rows}
        calls = await ask_the_chain(ctx, prompts, usable, silent)
        if not calls:
            ctx.log.warning("no AI provider has room or answers: the other summaries end without a sentence")
            return
        after, left = max(prompts), left - len(prompts)
        await keep(ctx, week, after, calls, len(prompts))


async def ask_the_chain(ctx: Context, prompts: dict[int, str], usable: dict[str, str], silent: list[str]) -> list[Call]:
    """Every call that was made. Who answers nothing at all joins `silent`, and is not asked again by this run."""
    calls: list[Call] = []
    waiting, leave_out = dict(prompts), list(silent)
    while waiting and (provider := await picked(ctx, usable, leave_out)) is not None:
        made = await asyncio.gather(*(ask(ctx, provider, student, text) for student, text in waiting.items()))
        answered = {call.student for call in made if call.sentence is not None}
        leave_out.append(provider.name)
        if not answered:
            silent.append(provider.name)
        waiting = {student: text for student, text in waiting.items() if student not in answered}
        calls += made
    return calls


async def picked(ctx: Context, usable: dict[str, str], leave_out: Sequence[str]) -> Provider | None:
    async with ctx.snapshot() as reader:
        row = await reader.fetchrow(PICK, ctx.now(), list(leave_out))
    if row is None:
        return None
    settings: Settings = ctx.settings
    key = settings.keys[row["name"]].get_secret_value()
    return Provider(row["name"], row["kind"], row["base_url"], key, usable[row["name"]])


async def ask(ctx: Context, provider: Provider, student: int, text: str) -> Call:
    """One request. Whatever goes wrong with it is in the call, and raised to nobody."""
    import httpx  # most weeks nobody is asked

    asked = request(provider.kind, provider.base_url, provider.key, provider.model, text)
    began = time.monotonic()

    def call(**outcome: Any) -> Call:
        return Call(student, provider.name, int((time.monotonic() - began) * 1000), **outcome)

    said: dict[str, Any] = {}
    try:
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            ctx.http.stream("POST", asked.url, json=asked.body, headers=asked.headers) as answer,
        ):
            said = {"status": answer.status_code, "headers": json.dumps(dict(answer.headers))}
            body = await body_of(answer)
        if not answer.is_success:
            return call(**said, error=f"HTTP {answer.status_code}")
        return call(**said, sentence=sentence(provider.kind, json.loads(body)))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, RecursionError) as error:
        return call(**said, error=type(error).__name__)
    except ValueError as error:
        return call(**said, error=str(error)[:200])


async def body_of(answer: httpx.Response) -> bytes:
    """Raises `NoSentenceError` for more than a sentence can be."""
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise NoSentenceError(f"more than {LARGEST_ANSWER} bytes are no sentence")
    return body


async def keep(ctx: Context, week: date, after: int, calls: Sequence[Call], asked: int) -> None:
    """The sentences of one batch, and the calls as they were."""
    good = [(call, call.sentence) for call in calls if call.sentence is not None]
    async with ctx.transaction(cursor={"sentences_after": after}) as tx:
        await tx.execute(
            ADD_SENTENCES, week, [c.student for c, _ in good], [s.text for _, s in good], [c.provider for c, _ in good]
        )
        tokens = [
            (None, None) if c.sentence is None else (c.sentence.input_tokens, c.sentence.output_tokens) for c in calls
        ]
        await tx.fetchval(
            REPORT_CALLS, [c.provider for c in calls], [c.status for c in calls], [c.headers for c in calls],
            [given for given, _ in tokens], [taken for _, taken in tokens], [c.latency_ms for c in calls],
            [c.error for c in calls], ctx.now(),
        )  # fmt: skip
        await tally.add(tx, ctx.run_id, "ai", len(good))
        await tally.add(tx, ctx.run_id, "ai_fallback", asked - len(good))


def prompt(payload: dict[str, Any]) -> str:
    """Figures and subjects of a week. No name and nothing a student wrote leaves the platform."""
    known = {
        key: payload[key] for key in ("messages", "active_days", "minutes", "answered", "correct") if key in payload
    }
    subjects = ", ".join(str(name) for name in payload.get("subjects", [])[:5]) or "nothing in particular"
    return (
        "Write one encouraging sentence of at most 25 words to a student about their week of learning. Speak to the "
        "student as you. Use no figure that is not given, no name, no markup and no quotation marks.\n"
        f"Figures: {json.dumps(known)}\nSubjects: {subjects}"
    )
