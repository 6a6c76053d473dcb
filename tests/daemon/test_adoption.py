"""What a suite says it needs of tables that are there already, and what is wrong with saying so."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from daemon.adoption import NotAdoptable, Relation, adoption_of
from daemon.adoption_rows import wrong_rows

GOOD = '[tea]\nkey = "id"\nupdates = ["name"]\n[tea.columns]\nid = "text"\nname = "text"\n'


def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    folder = tmp_path / f"adopting{abs(hash(text))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "adoption.toml").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_privileges_are_no_more_than_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = adoption_of("teahouse", suite(tmp_path, monkeypatch, GOOD))
    assert list(needed.grants()) == ["GRANT SELECT, UPDATE (name) ON teahouse.tea TO the_daemons_role;"]
    assert list(Relation(key="id", columns={"id": "text"}).privileges()) == ["SELECT"]
    assert list(Relation(key="id", columns={"id": "text"}, locks=True, deletes=True, inserts=("id",)).privileges()) == [
        "SELECT", "INSERT", "UPDATE (id)", "DELETE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace('"id"\n', '"no"\n', 1), "tea: no is not among its columns"),
        (GOOD.replace('name = "text"', 'name = "varchar"'), "columns.name"),
        (GOOD.replace("updates", "update"), "Extra inputs are not permitted"),
        (GOOD + "[", "Invalid initial character"),
        (GOOD + '[triggers]\nnote = ["truncate"]\n', "triggers.note"),
    ],
)
def test_what_is_said_wrongly_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    with pytest.raises(NotAdoptable) as caught:
        adoption_of("teahouse", suite(tmp_path, monkeypatch, text))
    assert said in str(caught.value)
    assert "adoption.toml: " in str(caught.value)


async def test_rows_without_a_key_or_with_unknown_words_are_told(connection: asyncpg.Connection) -> None:
    relation = Relation(key="id", columns={"id": "text", "kind": "text"}, values={"kind": ("green", "black")})
    await connection.execute(
        "CREATE TEMP TABLE tea AS SELECT n::text AS id, 'green' AS kind FROM generate_series(1, 9) n"
    )
    assert await wrong_rows(connection, "pg_temp.tea", relation) == []
    await connection.execute("UPDATE tea SET kind = 'red' WHERE id = '3'; UPDATE tea SET id = NULL WHERE id = '4'")
    assert await wrong_rows(connection, "pg_temp.tea", relation) == [
        "pg_temp.tea.id = null stands there more than once or is empty: it has to name one row",
        "pg_temp.tea.kind has red, and the suite knows only green, black: translate it in the view",
    ]
