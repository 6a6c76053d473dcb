"""The house at work on its items."""

from daemon import sql
from daemon.sql import Statement

PROGRESS, DONE = sql.load(__file__, "progress", "done")

WORKING = "items done"
CLOSING = "days closed"
AFTERWARDS: list[object] = []
SUMMARY: dict[str, Statement] = {"What was done": DONE}
