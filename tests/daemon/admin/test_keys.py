"""What tokens are signed with where nothing is configured."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.admin.keys import OWN_KEY, NoKey, signing_key
from daemon.settings import DatabaseSettings, Settings


def at(folder: Path, **sections: object) -> Settings:
    return Settings.model_validate({"database": DatabaseSettings(state_dir=str(folder)), **sections})


def test_a_configured_secret_is_the_key(tmp_path: Path) -> None:
    settings = at(tmp_path, admin={"jwt_secret": "s" * 32})
    assert signing_key(settings) == "s" * 32
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = signing_key(at(tmp_path / "state"))
    assert signing_key(at(tmp_path / "state")) == first
    assert len(first) == 64
    assert (tmp_path / "state" / OWN_KEY).stat().st_mode & 0o777 == 0o600
    assert [p.name for p in (tmp_path / "state").iterdir()] == [OWN_KEY]
    assert signing_key(at(tmp_path / "other")) != first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_key_that_root_makes_belongs_to_the_daemons_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    signing_key(at(tmp_path))
    made = (tmp_path / OWN_KEY).stat()
    assert (made.st_uid, made.st_gid) == (65534, 65534)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    signing_key(at(tmp_path))
    (tmp_path / OWN_KEY).chmod(0o640)
    with pytest.raises(NoKey, match="can be read by others: chmod 600 it"):
        signing_key(at(tmp_path))


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / OWN_KEY).touch(mode=0o600)
    with pytest.raises(NoKey, match="holds no key: remove it"):
        signing_key(at(tmp_path))


def test_a_folder_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(NoKey, match="or set JWT_SECRET"):
        signing_key(at(tmp_path / "state"))
