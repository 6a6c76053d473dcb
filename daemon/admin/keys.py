"""What tokens are signed with: `JWT_SECRET`, or on loopback a key of this node's own, made when first needed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from daemon.settings import Settings

OWN_KEY = "admin.key"
OCTETS = 32


class NoKey(Exception):
    """There is nothing to sign tokens with, or it cannot be read. The message has the remedy."""


def signing_key(settings: Settings) -> str:
    """The configured secret, else this node's own key. Raises `NoKey`.

    Whoever can read the own key can read the state directory, and with it the embedded database: it gives nobody
    anything new. A token signed with it is good on this node alone.
    """
    secret = settings.admin.jwt_secret.get_secret_value()
    return secret or _own_key(settings.state_dir)


def _own_key(folder: Path) -> str:
    """Made once, readable to its owner only; whoever comes second reads what the first has written."""
    path = folder / OWN_KEY
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise NoKey(f"{path} can be read by others: chmod 600 it, or remove it and restart for a new one")
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise NoKey(
            f"{path}: {error.strerror}; run this as the daemon's user, or set JWT_SECRET (openssl rand -hex 32)"
        ) from error
    if len(key) < OCTETS:
        raise NoKey(f"{path} holds no key: remove it and restart for a new one")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    owner = path.parent.stat()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(OCTETS).encode())
        if os.geteuid() == 0:  # a command of root's must not lock the daemon's user out
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)  # unlike a rename, it leaves alone what somebody else made meanwhile
    except FileExistsError:
        pass
    finally:
        draft.unlink()
