"""Where the database is, as people are told."""

from __future__ import annotations

import pytest

from daemon.store import place


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ann:secret@db.example.com:5432/sexton?sslmode=require", "db.example.com:5432/sexton"),
        ("postgresql://db.example.com/sexton", "db.example.com/sexton"),
        ("postgresql://one:5432,two:5433/sexton", "one:5432,two:5433/sexton"),
        ("postgresql:///sexton?host=/run/postgresql&password=secret", "/run/postgresql/sexton"),
        ("postgresql:///sexton", "the local socket/sexton"),
    ],
)
def test_a_url_is_told_without_its_user_and_password(url: str, said: str) -> None:
    assert place(url) == said
