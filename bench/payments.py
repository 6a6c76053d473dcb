"""Stale payments settled at the provider's limit, and webhooks answered, by a real daemon on loopback."""

from __future__ import annotations

from bench.measure import median
from bench.payments_pass import LIMIT, one_pass
from bench.payments_pass import table as passes
from bench.payments_shop import opened
from bench.payments_webhook import BARE, CALLS_A_SECOND, OURS, WORKING, Found, by_the_bare_handler, by_the_daemon
from bench.payments_webhook import table as webhooks
from bench.report import Result, Target
from bench.stage import Stage

PAYMENTS, QUICK_PAYMENTS = 10_000, 200
LONGEST_WINDOW = 8.0
"""Seconds of calls: 4,000 of them, so that 40 decide the p99."""
WANTED, LONGEST_ANSWER_MS, LONGEST_WORK_S = 0.95, 50, 2


async def run(stage: Stage) -> Result:
    quick = stage.options.quick
    payments = QUICK_PAYMENTS if quick else round(PAYMENTS * stage.options.scale)
    window = min(stage.options.seconds, LONGEST_WINDOW, payments / 2 / CALLS_A_SECOND)  # half of them, to warm up too
    calls = round(CALLS_A_SECOND * window)
    shop = await opened(stage, payments)
    answers: dict[str, list[Found]] = {OURS: [], WORKING: [], BARE: []}
    for n in range(1, stage.options.rounds + 1):
        for name, works in ((OURS, False), (WORKING, True)):
            stage.tell(f"round {n}: {calls:,} calls of the webhook, {name}")
            async with stage.copy_of(shop) as url:
                answers[name].append(await by_the_daemon(stage, url, calls, works=works))
    stage.tell(f"{calls:,} calls, {BARE}")
    answers[BARE].append(await by_the_bare_handler(stage, calls))
    stage.tell(f"{payments:,} stale payments, {payments / LIMIT:.0f} s at the limit")
    async with stage.copy_of(shop) as url:
        settled = await one_pass(stage, url, payments)
    return told(payments, calls, settled, answers)


def told(payments: int, calls: int, settled: Found, answers: dict[str, list[Found]]) -> Result:
    p99 = {name: 1000 * median([one["p99"] for one in found]) for name, found in answers.items()}
    ours = [*answers[OURS], *answers[WORKING]]
    targets = [
        Target("payments/s, of the provider's limit", payments / LIMIT / settled["seconds"], WANTED, at_least=True),
        Target("webhook: p99, ms", p99[OURS], LONGEST_ANSWER_MS),
        Target("webhook, its events worked at the same time: p99, ms", p99[WORKING], LONGEST_ANSWER_MS),
        Target("webhook: calls that were not kept", sum(calls - one["kept"] for one in ours), 0),
        Target("events: worked after, p99, s", median([one["worked_p99"] for one in answers[WORKING]]), LONGEST_WORK_S),
    ]
    figures = {"payments": payments, "calls": calls, "pass": settled, "answers": answers}
    return Result("payments", [passes(payments, settled), webhooks(calls, answers)], targets, figures)
