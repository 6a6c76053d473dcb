"""Which backups may leave: the old ones, and never the newest that is known to be good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daemon.backup.record import Backup
from daemon.backup.retention import newest_verified, to_prune

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
MONTH = timedelta(days=30)


def backup(age: float, verified: bool = True, problem: str | None = None) -> Backup:
    taken = NOW - timedelta(days=age)
    return Backup(f"{taken:%Y%m%dT%H%M%SZ}", taken, verified_at=NOW if verified else None, problem=problem)


BACKUPS = st.lists(
    st.builds(backup, st.integers(0, 90), st.booleans(), st.sampled_from([None, None, "cut off"])),
    unique_by=lambda b: b.name,
)


def ages(backups: list[Backup]) -> list[int]:
    return [(NOW - b.taken_at).days for b in backups]


def test_what_is_older_than_the_retention_leaves_the_oldest_first() -> None:
    assert ages(to_prune([backup(age) for age in (1, 30, 31, 40)], NOW, MONTH)) == [40, 31]


def test_the_newest_verified_one_stays_however_old() -> None:
    found = [backup(50), backup(40), backup(2, verified=False)]
    assert ages(to_prune(found, NOW, MONTH)) == [50]


def test_one_that_is_damaged_counts_for_nothing() -> None:
    found = [backup(50), backup(40, problem="cut off")]
    assert ages(to_prune(found, NOW, MONTH)) == [40]


def test_while_none_is_verified_the_newest_that_can_be_read_stays() -> None:
    found = [backup(60, verified=False), backup(50, verified=False), backup(40, verified=False, problem="cut off")]
    assert ages(to_prune(found, NOW, MONTH)) == [60, 40]


@given(BACKUPS)
def test_nothing_young_and_never_the_newest_verified_one_leaves(found: list[Backup]) -> None:
    gone = to_prune(found, NOW, MONTH)
    assert all(NOW - b.taken_at > MONTH for b in gone)
    assert newest_verified(found) not in gone
    kept = [b for b in found if b not in gone]
    assert sum(NOW - b.taken_at > MONTH for b in kept) <= 1
    assert not [b for b in found if b.problem is None] or [b for b in kept if b.problem is None]
