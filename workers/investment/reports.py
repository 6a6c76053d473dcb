"""Weekly and monthly reports as they were published, and the returns of each day, for the dashboard."""

from __future__ import annotations

from daemon import Bars, Column, Lines, Report, Unit, sql

RETURNS, WEEKLY, MONTHLY, PLANS = sql.load(__file__, "returns", "weekly", "monthly", "plans")

CURRENCY = Column("currency", "Currency")


def money(name: str, title: str) -> Column:
    return Column(name, title, Unit.MONEY, currency="currency")


MOVED = (
    CURRENCY, money("deposits", "Deposits"), money("withdrawals", "Withdrawals"), money("roi", "Returns paid"),
    money("commission", "Commission"), money("revenue", "Revenue"), Column("growth", "Revenue grew by", Unit.SHARE),
    money("invested", "Invested"), Column("opened", "Investments", Unit.COUNT),
    Column("matured", "Matured", Unit.COUNT), money("active_principal", "Active principal"),
    Column("active_investors", "Active investors", Unit.COUNT),
    Column("withdrawals_pending", "Withdrawals pending", Unit.COUNT), Column("new_users", "New people", Unit.COUNT),
)  # fmt: skip
IN_AND_OUT = ("deposits", "withdrawals", "roi", "revenue")

returns_by_day = Report(
    "Returns paid by day",
    "Returns and commissions of the days that were paid; a day that was reversed has none.",
    RETURNS,
    made_by="daily_roi_distribution",
    columns=(
        Column("day", "Day", Unit.DAY), CURRENCY, money("roi", "Returns"), money("commission", "Commission"),
        Column("payments", "Payments", Unit.COUNT),
    ),
    picture=Bars("day", ("roi", "commission"), apart="currency"),
)  # fmt: skip
weekly = Report(
    "Weekly reports",
    "What each week brought, as its report said. The amounts are in the currency of the row.",
    WEEKLY,
    made_by="weekly_report",
    days=182,
    columns=(Column("period", "Week to", Unit.DAY), *MOVED),
    picture=Lines("period", IN_AND_OUT, apart="currency"),
)
monthly = Report(
    "Monthly reports",
    "What each calendar month brought, as its report said.",
    MONTHLY,
    made_by="monthly_analytics",
    days=730,
    columns=(Column("period", "Month", Unit.MONTH), *MOVED),
    picture=Bars("period", ("revenue",), apart="currency"),
)
best_plans = Report(
    "Best plans of each month",
    "The plans that most was invested in, and their share of all that was, by currency.",
    PLANS,
    made_by="monthly_analytics",
    days=365,
    columns=(
        Column("month", "Month", Unit.MONTH), CURRENCY, Column("plan", "Plan"), money("invested", "Invested"),
        Column("share", "Share", Unit.SHARE), Column("investments", "Investments", Unit.COUNT),
    ),
    picture=Bars("month", ("invested",), by="plan", apart="currency"),
)  # fmt: skip
