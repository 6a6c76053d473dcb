"""ETags as rules: the same answer, the same tag; what is asked for with If-Match is the revision."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.admin.etag import NEVER, matches, revision_of, tag

bodies = st.binary(max_size=200)
revisions = st.integers(min_value=1, max_value=10**17)


@given(bodies, bodies, revisions)
def test_tags_are_equal_exactly_when_answers_are(one: bytes, other: bytes, revision: int) -> None:
    assert (tag(one) == tag(other)) == (one == other)
    assert (tag(one, str(revision)) == tag(other, str(revision))) == (one == other)


@given(bodies, revisions)
def test_the_revision_of_a_tag_is_the_one_it_was_made_with(body: bytes, revision: int) -> None:
    assert revision_of(tag(body, str(revision))) == revision


@given(st.lists(bodies, min_size=1, max_size=5), st.data())
def test_one_of_several_tags_matches_weakened_or_not(known: list[bytes], data: st.DataObject) -> None:
    weakened = data.draw(st.lists(st.booleans(), min_size=len(known), max_size=len(known)))
    header = ", ".join(("W/" if weak else "") + tag(body) for body, weak in zip(known, weakened, strict=True))
    assert all(matches(header, tag(body)) for body in known)
    assert not matches(header, tag(b"something else, longer than any of these can be" * 10))


@given(st.text(max_size=80))
def test_any_header_is_understood_or_matches_nothing(text: str) -> None:
    found = revision_of(text)
    assert found is None or found == NEVER or found >= 0
    assert (found is None) == (text.strip() == "*")


def test_a_star_matches_whatever_is_there() -> None:
    assert matches("*", tag(b"x"))
    assert revision_of(" * ") is None
