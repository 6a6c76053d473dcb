"""What a backup says of itself is believed only whole, unchanged, and in a form that is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.backup import manifest
from daemon.backup.errors import Damaged, TooNew
from daemon.backup.manifest import FILE, Manifest, StoredFile, Table

WHOLE = Manifest(
    taken_at=datetime(2026, 11, 26, 3, 0, 1, 250, tzinfo=UTC), database="sexton", postgresql="17.10", pg_dump="17.10",
    compression="zstd", migrations={"sexton": 8}, tables=(Table(name='"Odd name".größe', rows=3, checksum="-17"),),
    objects={"tables": 1}, files=(StoredFile(path="data/toc.dat", bytes=12, sha256="ab"),),
)  # fmt: skip


def said_of(folder: Path, text: str) -> str:
    (folder / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(Damaged) as error:
        manifest.read(folder)
    assert str(folder / FILE) in str(error.value)
    return str(error.value)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(WHOLE.text, encoding="utf-8")
    assert manifest.read(tmp_path) == WHOLE
    assert (WHOLE.rows, WHOLE.bytes) == (3, 12)


def test_one_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match=r"manifest\.json: is missing"):
        manifest.read(tmp_path)


@given(cut=st.integers(0, len(WHOLE.text) - 3))
def test_one_that_is_cut_off_is_never_believed(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    assert "cut off or changed" in said_of(tmp_path_factory.mktemp("cut"), WHOLE.text[:cut])


@pytest.mark.parametrize(
    ("before", "after"),
    [('"rows": 3', '"rows": 4'), ('"bytes": 12', '"bytes": 13'), ("zstd", "gzip"), ('"digest": "', '"digest": "0')],
)
def test_a_change_is_noticed(tmp_path: Path, before: str, after: str) -> None:
    assert before in WHOLE.text
    assert "was changed after the backup was made" in said_of(tmp_path, WHOLE.text.replace(before, after))


def test_the_digest_of_one_made_before_there_was_a_field_stays_what_it_was() -> None:
    """Or its mark of verification would fit no more."""
    fields = {name: value for name, value in WHOLE.model_dump(mode="json").items() if name != "large_objects"}
    assert WHOLE.large_objects is None
    assert WHOLE.digest == manifest._digest(fields)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "one"}', "null"])
def test_another_file_is_no_manifest(tmp_path: Path, text: str) -> None:
    assert "is no manifest of a backup" in said_of(tmp_path, text)


def test_a_tower_of_brackets_is_no_manifest(tmp_path: Path) -> None:
    assert "is cut off or changed" in said_of(tmp_path, "[" * 200_000)


def test_an_instant_without_its_zone_is_named(tmp_path: Path) -> None:
    fields = {**json.loads(WHOLE.text), "taken_at": "2026-11-26T03:00:00"}
    del fields["digest"]
    text = json.dumps({**fields, "digest": manifest._digest(fields)})
    assert "taken_at: input should have timezone info" in said_of(tmp_path, text)


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    fields = json.loads(WHOLE.text)
    del fields["files"], fields["digest"]
    digest = manifest._digest(fields)
    assert "files: field required" in said_of(tmp_path, json.dumps({**fields, "digest": digest}))


def test_a_newer_release_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"format": 2, "sexton": "9.1.0", "unheard": True}), encoding="utf-8")
    with pytest.raises(
        TooNew, match=r"made by sexton 9\.1\.0 in format 2; this is sexton .*, which reads formats up to 1"
    ):
        manifest.read(tmp_path)


def test_a_later_field_of_the_same_form_is_no_obstacle(tmp_path: Path) -> None:
    fields = {**json.loads(WHOLE.text), "cost": 1}
    del fields["digest"]
    (tmp_path / FILE).write_text(json.dumps({**fields, "digest": manifest._digest(fields)}), encoding="utf-8")
    assert manifest.read(tmp_path) == WHOLE
