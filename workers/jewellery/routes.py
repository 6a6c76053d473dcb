"""What the suite answers over HTTP, under /api/v1. What decides about a payment is the job `payment_review`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from daemon import NotFound, Question, route
from workers.jewellery import review_desk


@route("/payment-reviews")
async def payment_reviews(question: Question, limit: Annotated[int, Field(ge=1, le=review_desk.MOST)] = 100) -> object:
    """The payments that wait for a person, the longest first, with the decisions that would be followed."""
    async with question.snapshot() as tables:
        return await review_desk.waiting(tables, limit)


@route("/payments/{payment}")
async def payment(question: Question, payment: str) -> object:
    """One payment, by its own id or the provider's, with every change of it."""
    async with question.snapshot() as tables:
        found = await review_desk.payment(tables, payment)
    if found is None:
        raise NotFound(f"there is no payment {payment!r}")
    return found
