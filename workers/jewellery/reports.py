"""What was sold, what is running out, and which payments wait for a person, for the dashboard."""

from __future__ import annotations

from daemon import Bars, Column, Gauges, Report, Unit, sql

SALES, STOCK, REVIEWS = sql.load(__file__, "sales", "stock", "reviews")


def money(name: str, title: str) -> Column:
    return Column(name, title, Unit.MONEY, currency="currency")


sales = Report(
    "Sales by day",
    "What each day came to, in the shop's zone. Of today, what was sold until the report of the evening; the next one "
    "says what it came to in the end.",
    SALES,
    made_by="daily_sales_summary",
    columns=(
        Column("day", "Day", Unit.DAY), Column("currency", "Currency"), money("final_total", "Sold, whole day"),
        Column("final_count", "Orders", Unit.COUNT), money("so_far_total", "Sold, so far"),
        Column("so_far_count", "Orders so far", Unit.COUNT), Column("so_far_until", "Counted until", Unit.INSTANT),
    ),
    picture=Bars("day", ("final_total", "so_far_total"), apart="currency"),
)  # fmt: skip
stock = Report(
    "Low and out of stock",
    "What can be sold of a product, without what is reserved at the moment; low is at or below its threshold.",
    STOCK,
    made_by="stock_level_check",
    days=None,
    settings=("low_stock_threshold",),
    columns=(
        Column("sku", "SKU"), Column("name", "Product"), Column("state", "State"),
        Column("available", "Can be sold", Unit.COUNT), Column("threshold", "Threshold", Unit.COUNT),
        Column("left", "Of the threshold", Unit.SHARE), Column("reserved", "Reserved", Unit.COUNT),
        Column("told_at", "Told at", Unit.INSTANT),
    ),
    picture=Gauges(("name", "state"), "left"),
)  # fmt: skip
reviews = Report(
    "Payments in review",
    "Money that does not fit its order, the longest waiting first. Refund it at the provider, or run payment_review "
    "with the payment and a decision: accept, or refunded.",
    REVIEWS,
    made_by="payment_captured",
    days=None,
    columns=(
        Column("payment", "Payment"), Column("order_number", "Order"), Column("order_status", "State of the order"),
        Column("currency", "Currency"), money("amount", "Asked for"), Column("reason", "Why it waits"),
        Column("provider_payment", "Payment at the provider"), Column("since", "Since", Unit.INSTANT),
    ),
)  # fmt: skip
