"""What the trial jobs leave in the database."""

from __future__ import annotations

from daemon import sql

LEAVE, DONE = sql.load(__file__, "leave", "done")
