"""Whose doing it is when an item is not done, and for how long it may be nobody's."""

from __future__ import annotations

import pytest

from daemon.performed import MOST_PUT_OFF, Performed, sorted_out
from daemon.queue import Postponed, QueueItem


def put_off(attempts: int, failures: int = 0) -> Performed:
    return Performed(QueueItem(7, 1, attempts, failures), postponed=Postponed("the broker does not answer"))


@pytest.mark.parametrize("attempts", [1, MOST_PUT_OFF, MOST_PUT_OFF + 1, 1000])
def test_while_nothing_can_be_done_nobody_is_to_blame(attempts: int) -> None:
    waiting, bad = sorted_out([put_off(attempts)], others_done=False)
    assert [item.key for item, _ in waiting] == [7]
    assert bad == []


@pytest.mark.parametrize(("attempts", "failures", "blamed"), [
    (MOST_PUT_OFF, 0, False), (MOST_PUT_OFF + 1, 0, True), (MOST_PUT_OFF + 1, 1, False), (MOST_PUT_OFF + 3, 2, True),
])  # fmt: skip
def test_what_is_put_off_again_and_again_while_others_are_done_has_failed(
    attempts: int, failures: int, *, blamed: bool
) -> None:
    waiting, bad = sorted_out([put_off(attempts, failures)], others_done=True)
    assert (len(waiting), len(bad)) == (int(not blamed), int(blamed))
    if blamed:
        assert bad[0][1] == f"put off {MOST_PUT_OFF} times while others were done: the broker does not answer"


def test_an_error_is_an_error_whoever_else_waits() -> None:
    waiting, bad = sorted_out([Performed(QueueItem(1, 1), error="no aircraft"), put_off(1)], others_done=False)
    assert [(item.key, why) for item, why in bad] == [(1, "no aircraft")]
    assert len(waiting) == 1
