"""How transactions are set up whose statements are about many people at once, or look for a few of them."""

from __future__ import annotations

from daemon import sql

SET_UP, SET_UP_FOR_FEW = sql.load(__file__, "set_up", "set_up_for_few")
