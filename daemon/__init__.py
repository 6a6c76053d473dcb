"""The vocabulary that suites import. Everything else in this package is the engine's own."""

from daemon import host, sql, tally, zones
from daemon.catchup import CatchUp
from daemon.charts import bar_charts
from daemon.currency import currency_places
from daemon.deadlocks import forgiving_deadlocks
from daemon.hook import Hook, HookCall, Kept, Refused, hook
from daemon.job import (
    Context,
    Drained,
    Held,
    Job,
    OnEvent,
    Overlap,
    Poll,
    days,
    hours,
    job,
    minutes,
    on,
    poll,
    seconds,
)
from daemon.jsonable import to_json
from daemon.mail_sample import mail_sample
from daemon.queue import Postponed, QueueItem, WorkQueue
from daemon.report import Bars, Column, Gauges, Heat, Lines, Report, Unit, Unusual
from daemon.retry import Priority
from daemon.route import NotFound, Question, Route, Unavailable, route
from daemon.schedule import Cron, Every, OnDemand
from daemon.tell import tell_each
from daemon.transaction import Reader, Row, Transaction

__all__ = [
    "Bars",
    "CatchUp",
    "Column",
    "Context",
    "Cron",
    "Drained",
    "Every",
    "Gauges",
    "Heat",
    "Held",
    "Hook",
    "HookCall",
    "Job",
    "Kept",
    "Lines",
    "NotFound",
    "OnDemand",
    "OnEvent",
    "Overlap",
    "Poll",
    "Postponed",
    "Priority",
    "Question",
    "QueueItem",
    "Reader",
    "Refused",
    "Report",
    "Route",
    "Row",
    "Transaction",
    "Unavailable",
    "Unit",
    "Unusual",
    "WorkQueue",
    "bar_charts",
    "currency_places",
    "days",
    "forgiving_deadlocks",
    "hook",
    "host",
    "hours",
    "job",
    "mail_sample",
    "minutes",
    "on",
    "poll",
    "route",
    "seconds",
    "sql",
    "tally",
    "tell_each",
    "to_json",
    "zones",
]
