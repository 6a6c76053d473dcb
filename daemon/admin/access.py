"""Who asks, and may they: a bearer token or a browser's session, the role a route needs, forgery from other sites."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from daemon.actions_deed import Actor
from daemon.admin import tokens
from daemon.admin.database import TooBusy
from daemon.admin.problems import Problematic
from daemon.admin.roles import Role
from daemon.admin.state import AdminState, state_of
from daemon.admin.tokens import Holder, NotAdmitted

LOG, AREA = logging.getLogger("sexton.admin"), {"area": "ADMIN"}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE = "sexton_session"
SECURE_COOKIE = "__Host-sexton_session"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="sexton"'}
LONGEST_FORM = 64 * 1024

BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="`sexton token --name WHO --role ROLE`")
SESSION = APIKeyCookie(name=COOKIE, auto_error=False, description="A browser's session: POST /login.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks. `csrf` is what a page must send along with each change; empty for a bearer token."""

    holder: Holder
    address: str
    csrf: str = ""
    two_person: bool = False

    @property
    def name(self) -> str:
        return self.holder.name

    @property
    def role(self) -> Role:
        return self.holder.role

    def actor(self, reason: str | None = None) -> Actor:
        """For the audit: who, and from where."""
        origin = f"{'browser' if self.csrf else 'api'} {self.address}"
        return Actor(self.name, origin, reason, two_person=self.two_person)


class Needs:
    """The dependency by which a route says whom it lets in. A test finds it on every route."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(
        self,
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
        _session: Annotated[str | None, Security(SESSION)],
    ) -> Caller:
        caller = await identified(request, bearer.credentials if bearer else None)
        request.state.caller = caller
        if caller.role < self.role:
            raise Problematic(403, f"{caller.name} is {caller.role.word}, and this needs {self.role.word}")
        return caller


Viewer = Annotated[Caller, Depends(Needs(Role.VIEWER))]
Operator = Annotated[Caller, Depends(Needs(Role.OPERATOR))]
Administrator = Annotated[Caller, Depends(Needs(Role.ADMIN))]


async def identified(request: Request, bearer: str | None) -> Caller:
    """The caller by token or cookie; a changing request of a browser must prove that our page sent it."""
    state, address = state_of(request), address_of(request)
    two_person = state.settings.admin.two_person
    if bearer is not None:
        return Caller(await _holder(state, address, bearer, tokens.FOR_API), address, two_person=two_person)
    cookie = session_cookie(request)
    if cookie is None:
        raise Problematic(401, "send a token: Authorization: Bearer …", headers=CHALLENGE)
    holder = await _holder(state, address, cookie, tokens.FOR_BROWSER)
    caller = Caller(holder, address, csrf_token(state.key, holder), two_person)
    if request.method not in SAFE:
        await _not_forged(request, caller)
    return caller


async def _holder(state: AdminState, address: str, text: str, audience: str) -> Holder:
    """Raises 401 whatever is wrong, and 429 to an address that was wrong too often; a valid token is always let in,
    so that nobody can shut others behind the same proxy out.
    """
    try:
        claims = tokens.read(text, state.key, audience)
        async with state.database.reading() as connection:
            holder, worth_noting = await tokens.admitted(connection, claims)
    except NotAdmitted as error:
        now = time.monotonic()
        state.tokens.failed(address, now)
        if wait := state.tokens.wait(address, now):
            raise too_many(wait) from error
        not_admitted(address, error)
        raise Problematic(401, "this token is not valid", headers=CHALLENGE) from error
    if worth_noting:
        with suppress(TooBusy):  # nobody waits for a note of that kind
            async with state.database.acting() as connection:
                await connection.execute(tokens.NOTE_USE.text, holder.id)
    return holder


def not_admitted(address: str, error: NotAdmitted) -> None:
    """For the log alone. The token is not told, only what it claims to be."""
    LOG.warning("not admitted from %s: %s", address, error, extra=AREA)


def too_many(wait: int) -> Problematic:
    return Problematic(429, f"too many tokens that are not valid: try again in {wait} s",
                       headers={"Retry-After": str(wait)})  # fmt: skip


def address_of(request: Request) -> str:
    """The peer, or whom a trusted proxy (`admin.proxies`) says it speaks for."""
    return request.client.host if request.client else "unknown"


def session_cookie(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE) or None


def csrf_token(key: str, holder: Holder) -> str:
    """Bound to the session, so that one of another session is worth nothing."""
    return hmac.new(key.encode(), b"csrf:" + holder.id.bytes, hashlib.sha256).hexdigest()


async def _not_forged(request: Request, caller: Caller) -> None:
    given = request.headers.get(CSRF_HEADER) or (await form_of(request)).get(CSRF_FIELD, "")
    if not from_our_own_page(request) or not hmac.compare_digest(given.encode(), caller.csrf.encode()):
        raise Problematic(403, f"this did not come from a page of ours: {CSRF_HEADER} is missing or of another session")


def from_our_own_page(request: Request) -> bool:
    """By Fetch Metadata where the browser sends it, else by Origin; a program that sends neither is no browser."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name; empty for any other body."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    body = await request.body()
    if len(body) > LONGEST_FORM:
        raise Problematic(413, f"a form has at most {LONGEST_FORM} octets")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
