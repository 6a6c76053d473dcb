"""Technical names go on in the next line where one would part them, and figures do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from daemon.breakable import breakable


def test_a_name_may_go_on_after_each_of_its_parts_and_a_figure_stays_whole() -> None:
    assert breakable("disk_free_pct:/var/lib/postgresql is 4.2 (under 5) since 23:59:00") == Markup(
        "disk_<wbr>free_<wbr>pct:/<wbr>var/<wbr>lib/<wbr>postgresql is 4.2 (under 5) since 23:59:00"
    )
    assert breakable("flights.flight_queue") == Markup("flights.<wbr>flight_<wbr>queue")


@given(st.text())
def test_nothing_else_is_changed_and_all_of_it_escaped(text: str) -> None:
    assert breakable(text).replace(Markup("<wbr>"), Markup("")) == escape(text)
