"""What was invoiced and charged, what is not invoiced yet, and the flights that were given up, for the dashboard."""

from __future__ import annotations

from daemon import Bars, Column, Report, Unit, sql

INVOICES, CHARGES, NOT_INVOICED, DEAD_FLIGHTS = sql.load(
    __file__, "invoices", "charges", "not_invoiced", "dead_flights"
)

CURRENCY = Column("currency", "Currency")


def money(name: str, title: str) -> Column:
    return Column(name, title, Unit.MONEY, currency="currency")


invoices = Report(
    "Invoices by period",
    "What was issued for the periods that ended on the day, tax included, and what has become of it. Void ones are "
    "left out.",
    INVOICES,
    made_by="consolidated_invoice",
    days=365,
    columns=(
        Column("period_end", "Period to", Unit.DAY), CURRENCY, Column("invoices", "Invoices", Unit.COUNT),
        money("total", "Total"), money("tax", "Of it tax"), money("paid", "Paid"), money("open", "Open"),
        money("overdue", "Overdue"), money("credited", "Credited since"),
    ),
    picture=Bars("period_end", ("paid", "open", "overdue"), apart="currency", alarming=("overdue",)),
)  # fmt: skip
charges = Report(
    "Charges by period",
    "What the invoices of a period are made of: en-route and terminal charges of their flights, before tax.",
    CHARGES,
    made_by="consolidated_invoice",
    days=91,
    columns=(
        Column("period_end", "Period to", Unit.DAY), CURRENCY, Column("flights", "Flights", Unit.COUNT),
        money("enroute", "En route"), money("terminal", "Terminal"), Column("late", "Flown earlier", Unit.COUNT),
    ),
    picture=Bars("period_end", ("enroute", "terminal"), apart="currency"),
)  # fmt: skip
not_invoiced = Report(
    "Charged and not invoiced yet",
    "Charge records that wait for the end of their customer's period, by the month they were flown in.",
    NOT_INVOICED,
    made_by="flight_ingestion",
    days=None,
    columns=(
        Column("month", "Month", Unit.MONTH), CURRENCY, Column("flights", "Flights", Unit.COUNT),
        Column("customers", "Customers", Unit.COUNT), money("amount", "Amount"),
    ),
)  # fmt: skip
dead_flights = Report(
    "Flights that were given up",
    "Flights that could not be rated, by what was wrong; they can be tried again on the page of their queue.",
    DEAD_FLIGHTS,
    made_by="flight_ingestion",
    days=None,
    columns=(
        Column("reason", "What was wrong"), Column("flights", "Flights", Unit.COUNT),
        Column("oldest_at", "Oldest since", Unit.INSTANT), Column("newest_at", "Newest since", Unit.INSTANT),
        Column("example", "Such as flight"),
    ),
)  # fmt: skip
