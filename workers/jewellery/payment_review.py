"""What a person decides about a payment in REVIEW, applied by the rules that the provider's own news goes by."""

from __future__ import annotations

from dataclasses import dataclass

from daemon import Context, OnDemand, Overlap, Priority, Transaction, days, forgiving_deadlocks, job, minutes, sql
from workers.jewellery import review_desk
from workers.jewellery.payment_rules import Ruling, refusal
from workers.jewellery.settlement import Moment, NoSuchPayment, Observation, settle

(ASKED_BY,) = sql.load(__file__, "asked_by")

EXAMPLE = 'such as {"payment": "p7", "decision": "accept"}'
IN_WORDS = {Ruling.ACCEPT: "accepted", Ruling.REFUNDED: "given back"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the run's arguments say."""

    payment_id: str
    ruling: Ruling


async def dry_run(ctx: Context) -> object:
    """Without arguments all payments that wait for a person; with them what would become of that one."""
    async with ctx.snapshot() as reader:
        if not ctx.args:
            return await review_desk.waiting(reader)
        asked = asked_in(ctx)
        found = await review_desk.payment(reader, asked.payment_id)
    if found is None or found["payment"] != asked.payment_id:
        raise ValueError(f"there is no payment {asked.payment_id!r}")
    if (why_not := found["decisions"][asked.ruling]) is not None:
        raise ValueError(f"payment {asked.payment_id} stays as it is: {why_not}")
    return found


@job(
    OnDemand(), priority=Priority.HIGH, timeout=minutes(2), retries=0, overlap=Overlap.QUEUE, sensitive=True,
    retention=days(8 * 366), aliases=("payment-review",), dry_run=dry_run,
)  # fmt: skip
async def payment_review(ctx: Context) -> None:
    """Settle a payment in REVIEW, given as --args '{"payment": "p7", "decision": "accept"}'; or "refunded".

    accept: the money is good, and an order that waits for it is confirmed. refunded: it was given back.
    """
    await forgiving_deadlocks(decide, ctx, asked_in(ctx))


def asked_in(ctx: Context) -> Asked:
    """Raises `ValueError`."""
    payment, decision = ctx.args.get("payment"), ctx.args.get("decision")
    if set(ctx.args) != {"payment", "decision"} or not isinstance(payment, str):
        raise ValueError(f"args: give the payment and the decision and nothing else, {EXAMPLE}")
    if decision not in list(Ruling):
        raise ValueError(f"args: decision = {decision!r}: write {' or '.join(Ruling)}, {EXAMPLE}")
    return Asked(payment, Ruling(decision))


async def decide(ctx: Context, asked: Asked) -> None:
    """One transaction. Raises `ValueError` where the decision does not fit, and then nothing is written."""
    async with ctx.completing() as tx:
        moment = Moment("person", ctx.run_id, ctx.now(), ctx.settings)
        observation = Observation(None, asked.payment_id, asked.ruling, await in_whose_words(tx, ctx, asked.ruling))
        try:
            settlement = await settle(tx, [observation], moment)
        except NoSuchPayment as error:
            raise ValueError(str(error)) from error
        payment = settlement.books.get(asked.payment_id)
        order = settlement.books.orders[payment.order_id]
        if not settlement.steps:
            local = settlement.books.local(payment, moment.now)
            why = refusal(asked.ruling, local.status, local.order_status, paid_by_another=local.paid_by_another)
            raise ValueError(f"payment {payment.id} stays as it is: {why}")
        tx.result(
            {"payment": payment.id, "was": settlement.steps[0].old, "is": payment.status, "order": order.id,
             "order_number": order.number, "order_status": order.status, "confirmed": order.id in settlement.confirmed}
        )  # fmt: skip
    for alarm in settlement.alarms:
        ctx.log.warning("%s: %s", alarm.title, alarm.message)


async def in_whose_words(tx: Transaction, ctx: Context, ruling: Ruling) -> str:
    """`accepted by asha: the difference is the bank's fee`."""
    row = await tx.fetchrow(ASKED_BY, ctx.run_id)
    who, why = (row["requested_by"], row["note"]) if row is not None else (None, None)
    return f"{IN_WORDS[ruling]} by {who or 'somebody'}: {why or 'no reason given'}"
