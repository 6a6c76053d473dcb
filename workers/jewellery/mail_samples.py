"""Samples of this suite's mails for `sexton preview-mail`: a day at a made-up jeweller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from daemon import bar_charts, mail_sample
from workers.jewellery import daily_sales_summary, order_words, payment_alarms, stock_level_check
from workers.jewellery.order_words import CONFIRMED, NOTICES, Item, Order
from workers.jewellery.payment_books import OrderState, Payment
from workers.jewellery.payment_rules import Seen, Status
from workers.jewellery.settings import Settings

TODAY = date(2026, 11, 22)
CLOSING = datetime(2026, 11, 22, 18, tzinfo=UTC)
ORDER = Order(
    "6a1f", "ORA-2026-004711", "c-318", Decimal("148499.00"), "INR", "BD904411238IN",
    (
        Item("Peacock jhumka earrings, 22 kt gold 🦚", 1, Decimal("64500.00")),
        Item("خاتم الياسمين", 2, Decimal("38999.50")),
        Item("Anklet “Meera”, sterling silver", 1, Decimal("6000.00")),
    ),
)  # fmt: skip
SALES = (("INR", "486250.00", 31), ("USD", "2140.00", 4))
STOCK = (
    ("RING-0007", "Solitaire ring, 0.5 ct", 0, 3, "OUT"), ("ER-0142", "Peacock jhumka earrings 🦚", 2, 5, "LOW"),
    ("CH-0033", "Rope chain, 45 cm, 18 kt white gold", 4, 10, "LOW"),
)  # fmt: skip


@mail_sample()
def order_confirmation(settings: Settings) -> Mapping[str, Any]:
    return _of_the_order(CONFIRMED, settings)


@mail_sample()
def order_notice(settings: Settings) -> Mapping[str, Any]:
    return _of_the_order("SHIPPED", settings)


def _of_the_order(status: str, settings: Settings) -> Mapping[str, Any]:
    words = order_words.notice(status, ORDER) or NOTICES[status]
    return order_words.mail(status, ORDER, words, TODAY + timedelta(days=settings.delivery_days)).data


@mail_sample("alert")
def payment_alarm(_settings: Settings) -> Mapping[str, Any]:
    payment = Payment(
        "p-99120", ORDER.id, "razorpay", "order_NkTq0bXcV3wZ", "pay_NkTr8dLw2mQe", ORDER.total, ORDER.currency,
        Status.REVIEW, CLOSING,
    )  # fmt: skip
    order = OrderState(ORDER.id, ORDER.number, "c-318", "PLACED")
    seen = Seen("pay_NkTr8dLw2mQe", "order_NkTq0bXcV3wZ", "captured", 14_849_00, "INR", at=CLOSING)
    return payment_alarms.letter(payment_alarms.review(payment, order, seen, "another amount was paid than was asked"))


@mail_sample("alert")
def stock_alert(_settings: Settings) -> Mapping[str, Any]:
    names = ("sku", "name", "available", "threshold", "state")
    return stock_level_check.letter([dict(zip(names, product, strict=True)) for product in STOCK])


@mail_sample()
def daily_sales(_settings: Settings) -> Mapping[str, Any]:
    partial, final = (
        [{"currency": currency, "total": times * Decimal(total), "orders": times * orders}
         for currency, total, orders in SALES]
        for times in (1, 2)
    )  # fmt: skip
    before = [Decimal(310_000 + n * 37 % 11 * 42_000) for n in range(13)]
    words, images = bar_charts({"Sales in INR, 14 days": [*before, 2 * Decimal(SALES[0][1])]})
    return daily_sales_summary.letter(TODAY, CLOSING, partial, final) | {"charts": words, "images": images}
