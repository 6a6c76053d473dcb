"""A suite's queue table is named by checked identifiers; items are values in the order of their keys."""

from __future__ import annotations

import dataclasses

import pytest

from daemon import QueueItem, WorkQueue
from daemon.queue import STATEMENTS


def test_every_statement_names_the_table_and_its_key() -> None:
    queue = WorkQueue("tea.cup", "cup_id")
    assert set(queue.statements) == set(STATEMENTS)
    for statement in queue.statements.values():
        assert '"tea"."cup"' in statement.text
        assert "{" not in statement.text


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Tea.cup", "id"), ("tea.cup; drop", "id"), ("", "id"), ("a.b.c", "id"), ('tea."cup"', "id"),
        ("tea.cup", "Id"), ("tea.cup", ""), ("tea.cup", "a b"), ("tea.cup", "cup.id"), ("tea.cup", "id\n"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_identifier_is_refused(name: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"names are like suite\.table and key_id"):
        WorkQueue(name, key)


def test_items_sort_by_key_so_that_nodes_lock_them_in_one_order() -> None:
    items = [QueueItem(3, 1), QueueItem(1, 9), QueueItem(2, 5, priority=-1)]
    assert [i.key for i in sorted(items)] == [1, 2, 3]


def test_an_item_does_not_change_in_anybodys_hands() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        QueueItem(1, 2).token = 3  # type: ignore[misc]
