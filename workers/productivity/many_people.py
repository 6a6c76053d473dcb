"""How transactions are set up whose statements are about many people at once."""

from __future__ import annotations

from daemon import sql

(SET_UP,) = sql.load(__file__, "set_up")
