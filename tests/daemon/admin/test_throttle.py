"""How often an address may be wrong."""

from __future__ import annotations

from daemon.admin.throttle import MOST_ADDRESSES, Throttle


def test_after_so_many_failures_an_address_waits_until_the_first_is_old_enough() -> None:
    throttle = Throttle(most=3, window=60)
    for at in (0.0, 10.0, 20.0):
        assert throttle.wait("a", at) == 0
        throttle.failed("a", at)
    assert [throttle.wait("a", at) for at in (20.0, 59.5, 60.0)] == [40, 1, 0]
    assert throttle.wait("b", 20.0) == 0


def test_a_success_forgets_the_failures() -> None:
    throttle = Throttle(most=1)
    throttle.failed("a", 0)
    throttle.succeeded("a")
    throttle.succeeded("never seen")
    assert throttle.wait("a", 0) == 0


def test_an_attacker_with_many_addresses_does_not_fill_the_memory() -> None:
    throttle = Throttle(most=1)
    for n in range(MOST_ADDRESSES + 5):
        throttle.failed(str(n), 0)
    assert throttle.wait("0", 0) == 0
    assert throttle.wait(str(MOST_ADDRESSES + 4), 0) == 60
