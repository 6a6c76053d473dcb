"""How much may run at once, in runs and in the connections they declared."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.slots import Slots


def test_what_is_taken_is_not_free_until_it_is_given_back() -> None:
    slots = Slots(runs=2, connections=3)
    slots.take(2)
    assert (slots.free, slots.free_connections) == (1, 1)
    slots.give_back(2)
    assert (slots.free, slots.free_connections) == (2, 3)


def test_fewer_slots_after_a_reload_never_make_a_negative_number_of_free_ones() -> None:
    slots = Slots(runs=3, connections=3)
    for _ in range(3):
        slots.take(2)
    slots.runs = 1
    assert (slots.free, slots.free_connections) == (0, 0)


@given(st.lists(st.integers(0, 5)))
def test_everything_given_back_leaves_everything_free(sizes: list[int]) -> None:
    slots = Slots(runs=10, connections=20)
    for size in sizes:
        slots.take(size)
    for size in sizes:
        slots.give_back(size)
    assert slots == Slots(runs=10, connections=20)
