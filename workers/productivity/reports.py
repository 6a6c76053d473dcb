"""What analytics come to, for the dashboard: read from the figures of days, weeks and months, never from sessions."""

from __future__ import annotations

from daemon import Bars, Column, Heat, Lines, Report, Unit, Unusual, sql

(
    ACTIVE_PEOPLE, FOCUS_TIME, GOALS, RETENTION_WEEKS, RETENTION_DAYS, FEATURES, WEEKS, MONTHS, UNUSUAL,
) = sql.load(
    __file__, "active_people", "focus_time", "goals", "retention_weeks", "retention_days", "features", "weeks",
    "months", "unusual",
)  # fmt: skip

DAY = Column("day", "Day", Unit.DAY)
SO_FAR = Column("so_far", "Provisional", Unit.YES_NO)
DIRECTION = Column("direction", "Unusually")


def usual(unit: Unit) -> tuple[Column, Column]:
    """From where to where a figure is usual, where it is not."""
    return Column("usual_low", "Usual from", unit), Column("usual_high", "Usual to", unit)


def judged(of: str) -> Unusual:
    return Unusual(of, "direction", "usual_low", "usual_high")


active_people = Report(
    "Active people",
    "Who focused on the day (DAU), in the 7 days to it (WAU) and in the 30 (MAU), by everyone's own calendar.",
    ACTIVE_PEOPLE,
    made_by="daily_analytics",
    days=90,
    columns=(
        DAY, Column("dau", "DAU", Unit.COUNT), Column("wau", "WAU", Unit.COUNT), Column("mau", "MAU", Unit.COUNT),
        Column("stickiness", "DAU of MAU", Unit.SHARE), Column("new_users", "Signed up", Unit.COUNT), DIRECTION,
        *usual(Unit.COUNT), SO_FAR,
    ),
    picture=Lines("day", ("dau", "wau", "mau"), unusual=judged("dau"), so_far="so_far"),
)  # fmt: skip
focus_time = Report(
    "Time focused",
    "Minutes of focus of everybody on the day; sessions that overlap count once.",
    FOCUS_TIME,
    made_by="daily_analytics",
    columns=(
        DAY, Column("focus_minutes", "Minutes", Unit.NUMBER), Column("sessions", "Sessions", Unit.COUNT),
        Column("median_minutes", "Median of a session, minutes", Unit.NUMBER),
        Column("p90_minutes", "90 % are shorter than, minutes", Unit.NUMBER), DIRECTION, *usual(Unit.NUMBER), SO_FAR,
    ),
    picture=Lines("day", ("focus_minutes",), unusual=judged("focus_minutes"), so_far="so_far"),
)  # fmt: skip
goals = Report(
    "Goals done on time",
    "Of the goals due on the day, how many were done by its end; abandoned ones count nowhere.",
    GOALS,
    made_by="daily_analytics",
    columns=(
        DAY, Column("rate", "Done on time", Unit.SHARE), Column("due", "Due", Unit.COUNT),
        Column("done", "Of them done", Unit.COUNT), Column("overdue_share", "Of all open, overdue", Unit.SHARE),
        Column("lead_hours", "Median hours to done", Unit.NUMBER), DIRECTION, *usual(Unit.SHARE), SO_FAR,
    ),
    picture=Lines("day", ("rate",), unusual=judged("rate"), so_far="so_far"),
)  # fmt: skip
features = Report(
    "What is used",
    "Sessions of a week by what was used for them; weeks are from Sunday to Saturday.",
    FEATURES,
    made_by="weekly_aggregation",
    days=182,
    columns=(
        Column("week", "Week from", Unit.DAY), Column("feature", "Feature"),
        Column("sessions", "Sessions", Unit.COUNT), Column("share", "Share", Unit.SHARE),
    ),
    picture=Bars("week", ("sessions",), by="feature"),
)  # fmt: skip
CAME_BACK = (
    Column("n", "After days", Unit.COUNT), Column("retained", "Came back", Unit.COUNT),
    Column("rate", "Share", Unit.SHARE),
)  # fmt: skip
retention_weeks = Report(
    "Retention by week of signing up",
    "How many of those who signed up in a week focused again so many days after their first; a calendar day each, in "
    "their own zone. Only days that are over everywhere count.",
    RETENTION_WEEKS,
    made_by="daily_analytics",
    days=91,
    columns=(
        Column("week", "Week from", Unit.DAY), Column("size", "Signed up", Unit.COUNT), *CAME_BACK,
    ),
    picture=Heat("week", "n", "rate", size="size"),
)  # fmt: skip
retention_days = Report(
    "Retention by day of signing up",
    "The same for each day's people.",
    RETENTION_DAYS,
    made_by="daily_analytics",
    days=35,
    columns=(
        Column("day", "Signed up on", Unit.DAY), Column("size", "People", Unit.COUNT), *CAME_BACK,
    ),
    picture=Heat("day", "n", "rate", size="size"),
)  # fmt: skip
PERIOD = (
    Column("dau_average", "Average DAU", Unit.NUMBER), Column("mau", "MAU at the end", Unit.NUMBER),
    Column("stickiness", "Average DAU of MAU", Unit.SHARE), Column("new_users", "Signed up", Unit.COUNT),
    Column("sessions", "Sessions", Unit.COUNT), Column("focus_minutes", "Minutes of focus", Unit.NUMBER),
    Column("focus_trend", "Trend, minutes a day", Unit.NUMBER), Column("goal_rate", "Goals done on time", Unit.SHARE),
)  # fmt: skip
weeks = Report(
    "Weeks",
    "What the weeks from Sunday to Saturday came to. The trend is the Theil–Sen slope of 28 days.",
    WEEKS,
    made_by="weekly_aggregation",
    days=364,
    columns=(Column("week", "Week from", Unit.DAY), Column("wau", "WAU at the end", Unit.NUMBER), *PERIOD),
    picture=Lines("week", ("wau", "dau_average")),
)
months = Report(
    "Months",
    "What the calendar months came to, and how many of their new people came back after 1, 7 and 30 days.",
    MONTHS,
    made_by="monthly_insights",
    days=730,
    columns=(
        Column("month", "Month", Unit.MONTH), *PERIOD, Column("retained_1", "Back after 1 day", Unit.SHARE),
        Column("retained_7", "After 7 days", Unit.SHARE), Column("retained_30", "After 30 days", Unit.SHARE),
    ),
    picture=Lines("month", ("mau", "dau_average")),
)  # fmt: skip
unusual = Report(
    "All that was unusual",
    "Figures of days, weeks, months and hours of the suite's own work that stood out from the usual: a robust z-score "
    "beyond 3.5.",
    UNUSUAL,
    made_by="daily_analytics",
    columns=(
        Column("at", "At"), Column("period", "Of a"), Column("metric", "Figure"), Column("of", "Of"),
        Column("value", "Value", Unit.NUMBER), DIRECTION, Column("baseline", "Usually", Unit.NUMBER),
        *usual(Unit.NUMBER), Column("score", "Score", Unit.NUMBER),
    ),
)  # fmt: skip
