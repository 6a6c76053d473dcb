"""A sample of a mail against what its sender gives: names and kinds count, values do not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.mail_fields import differences

SENT = {
    "name": None, "days": [{"day": "2026-11-29", "minutes": 25}, {"day": "2026-11-30", "minutes": 0}],
    "last": True, "report": {"total": {"cost": "1.20", "complete": False}}, "facts": [["Order", "ORA-1"]],
    "images": {"chart1": "iVBOR"}, "purses": {"INR": {"roi": "1"}, "EUR": {"roi": "2"}},
}  # fmt: skip
SAMPLE = {
    "name": "Zoë", "days": [{"day": "2026-01-01", "minutes": 5}], "last": False,
    "report": {"total": {"cost": "9", "complete": True}}, "facts": [["a", "b"], ["c", "d"]],
    "images": {"chart1": "x", "chart2": "y"}, "purses": {"USD": {"roi": "3"}},
}  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SAMPLE), **fields}


def test_other_values_longer_lists_more_pictures_and_what_is_not_known_are_no_difference() -> None:
    assert differences(SAMPLE, SENT, ["purses"]) == []
    assert differences(SAMPLE, SENT)[0] == "purses.INR: the sender gives it, the sample does not"


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({k: v for k, v in SAMPLE.items() if k != "last"}, "last: the sender gives it, the sample does not"),
        ({k: v for k, v in SAMPLE.items() if k != "images"}, "images: the sender gives it, the sample does not"),
        (changed(lest=True), "lest: the sample gives it, the sender does not"),
        (changed(last="yes"), "last: true or false from the sender, text in the sample"),
        (changed(last=1), "last: true or false from the sender, a number in the sample"),
        (changed(days=[{"day": "2026-01-01"}]), "days[].minutes: the sender gives it, the sample does not"),
        (
            changed(days=[*SAMPLE["days"], {"day": "2026-01-01", "minutes": 1, "label": "x"}]),  # type: ignore[misc]
            "days[].label: the sample gives it, the sender does not",
        ),
        (changed(purses={"USD": {"rio": "3", "roi": "3"}}), "purses.*.rio: the sample gives it, the sender does not"),
        (changed(facts=["Order"]), "facts[]: a list from the sender, text in the sample"),
        (
            changed(report={"total": {"cost": 9, "complete": True}}),
            "report.total.cost: text from the sender, a number in the sample",
        ),
    ],
)
def test_what_a_sample_misses_misnames_or_makes_of_another_kind_is_named(sample: dict[str, Any], said: str) -> None:
    assert differences(sample, SENT, ["purses"]) == [said]


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4))
def test_nothing_differs_from_itself(data: dict[str, Any]) -> None:
    assert differences(data, data) == []


@given(st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=4), st.data())
def test_a_field_that_is_left_out_is_always_missed(data: dict[str, Any], choice: st.DataObject) -> None:
    name = choice.draw(st.sampled_from(sorted(data)))
    less = {key: value for key, value in data.items() if key != name}
    assert differences(less, data) == [f"{name}: the sender gives it, the sample does not"]
    assert differences(data, less) == [f"{name}: the sample gives it, the sender does not"]
