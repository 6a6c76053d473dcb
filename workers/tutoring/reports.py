"""How the AI providers are used, what was unusual, how full their limits are, and the backups, for the dashboard."""

from __future__ import annotations

from daemon import Bars, Column, Gauges, Lines, Report, Unit, Unusual, sql

USAGE, TOKENS, UNUSUAL, LIMITS, FAILOVERS, BACKUPS = sql.load(
    __file__, "usage", "tokens", "unusual", "limits", "failovers", "backups"
)

DAY, PROVIDER = Column("day", "Day", Unit.DAY), Column("provider", "Provider")

usage = Report(
    "Requests by provider",
    "What was asked of each provider on the day, in UTC; usual is what the report of the day was compared with.",
    USAGE,
    made_by="usage_analysis",
    columns=(
        DAY, PROVIDER, Column("requests", "Requests", Unit.COUNT), Column("errors", "Errors", Unit.COUNT),
        Column("error_share", "Of them failed", Unit.SHARE), Column("p50_ms", "Median latency", Unit.MILLISECONDS),
        Column("p95_ms", "95 % within", Unit.MILLISECONDS), Column("direction", "Unusually"),
        Column("usual_low", "Usual from", Unit.COUNT), Column("usual_high", "Usual to", Unit.COUNT),
    ),
    picture=Lines(
        "day", ("requests",), by="provider",
        unusual=Unusual("requests", "direction", "usual_low", "usual_high"),
    ),
)  # fmt: skip
tokens = Report(
    "Tokens and cost",
    "Input and output by provider. The cost is by the price of the day, in the one currency that is paid in; where a "
    "price is missing it is not known.",
    TOKENS,
    made_by="usage_analysis",
    columns=(
        DAY, PROVIDER, Column("tokens", "Tokens", Unit.COUNT), Column("input_tokens", "Input", Unit.COUNT),
        Column("output_tokens", "Output", Unit.COUNT), Column("cost", "Cost", Unit.NUMBER),
    ),
    picture=Bars("day", ("tokens",), by="provider"),
)  # fmt: skip
limits = Report(
    "Limits of the providers",
    "How much of each limit is used, as far as anybody has said; nothing after it was reset.",
    LIMITS,
    made_by="rate_limit_monitor",
    days=None,
    columns=(
        PROVIDER, Column("state", "State"), Column("dim", "Limit of"), Column("used", "Used", Unit.SHARE),
        Column("remaining", "Left", Unit.COUNT), Column("limit_n", "Of", Unit.COUNT),
        Column("reset_at", "Reset at", Unit.INSTANT), Column("observed_at", "Seen at", Unit.INSTANT),
        Column("source", "By"), Column("fallback", "Instead of it"),
    ),
    picture=Gauges(("provider", "dim"), "used"),
)  # fmt: skip
failovers = Report(
    "Failovers",
    "When a provider was left for another, blocked or taken up again, and why.",
    FAILOVERS,
    made_by="rate_limit_monitor",
    columns=(
        Column("at", "At", Unit.INSTANT), PROVIDER, Column("from_state", "From"), Column("to_state", "To"),
        Column("usage", "Fullest limit", Unit.SHARE), Column("reason", "Why"),
    ),
)  # fmt: skip
unusual = Report(
    "All that was unusual",
    "Figures of a provider's day that stood out from those of the days of its kind before it: a robust z-score beyond "
    "3.5.",
    UNUSUAL,
    made_by="usage_analysis",
    columns=(
        DAY, PROVIDER, Column("metric", "Figure"), Column("value", "Value", Unit.NUMBER),
        Column("direction", "Unusually"), Column("baseline", "Usually", Unit.NUMBER),
        Column("usual_low", "Usual from", Unit.NUMBER), Column("usual_high", "Usual to", Unit.NUMBER),
        Column("score", "Score", Unit.NUMBER),
    ),
)  # fmt: skip
backups = Report(
    "Backups",
    "Backups of the whole database that the nightly job made: how large, how long they took with their verification, "
    "and when they were last restored and found equal.",
    BACKUPS,
    made_by="automated_backup",
    days=90,
    columns=(
        Column("day", "Day", Unit.DAY), Column("name", "Backup"), Column("state", "Run"),
        Column("size", "Size", Unit.BYTES), Column("took", "Took", Unit.SECONDS),
        Column("verified_at", "Verified at", Unit.INSTANT), Column("tables", "Tables", Unit.COUNT),
        Column("rows", "Rows", Unit.COUNT), Column("pruned", "Old ones removed", Unit.COUNT),
        Column("error", "What was wrong"),
    ),
    picture=Bars("day", ("size",)),
)  # fmt: skip
