"""Logging in and out with a browser: a token is exchanged for a session, which lives in a cookie no script can read."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from daemon.actions_deed import Actor
from daemon.admin import access, tokens
from daemon.admin.access import Viewer
from daemon.admin.pages import page
from daemon.admin.state import AdminState, State
from daemon.admin.tokens import Holder, NotAdmitted
from daemon.channel_settings import is_loopback

router = APIRouter(include_in_schema=False)
WRONG = "This token is not valid. It may have expired, or been revoked."


@router.get("/login")
async def show_login() -> Response:
    return page("login.html", error="")


@router.post("/login")
async def log_in(request: Request, state: State) -> Response:
    """Failures are counted by address; one that failed too often is not even listened to for a while."""
    address, now = access.address_of(request), time.monotonic()
    if wait := state.logins.wait(address, now):
        answer = page("login.html", 429, error=f"Too many tries. Try again in {wait} seconds.")
        answer.headers["Retry-After"] = str(wait)
        return answer
    if not access.from_our_own_page(request):
        return page("login.html", 403, error="This form was sent from another site. Log in here.")
    token = (await access.form_of(request)).get("token", "").strip()
    try:
        text, session = await _opened(state, token, address)
    except NotAdmitted as error:
        state.logins.failed(address, now)
        access.not_admitted(address, error)
        return page("login.html", 401, error=WRONG)
    state.logins.succeeded(address)
    access.LOG.info("%s logged in from %s as %s", session.name, address, session.role.word, extra=access.AREA)
    return _with_cookie(request, text, session)


async def _opened(state: AdminState, token: str, address: str) -> tuple[str, Holder]:
    """The session's cookie, and the session. Raises `NotAdmitted`."""
    claims = tokens.read(token, state.key, tokens.FOR_API)
    async with state.database.acting() as connection:
        holder, _ = await tokens.admitted(connection, claims)
        actor = Actor(holder.name, f"browser {address}")
        opened = await tokens.open_session(connection, state.key, actor, holder, state.settings.admin.session)
        await connection.execute(tokens.NOTE_USE.text, opened[1].id)
    return opened


def _with_cookie(request: Request, text: str, session: Holder) -> Response:
    secure = needs_tls(request)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        access.SECURE_COOKIE if secure else access.COOKIE, text, expires=session.expires_at, path="/", secure=secure,
        httponly=True, samesite="strict",
    )  # fmt: skip
    return answer


def needs_tls(request: Request) -> bool:
    """Whether a cookie may travel encrypted only: always, but for plain HTTP to this machine itself."""
    return request.url.scheme == "https" or not is_loopback(request.url.hostname or "")


@router.post("/logout")
async def log_out(state: State, caller: Viewer) -> Response:
    """The session ends here and now, not only in this browser."""
    async with state.database.acting() as connection:
        await tokens.close_session(connection, caller.actor(), caller.holder.id)
    answer = RedirectResponse("/login", 303)
    for name, secure in ((access.COOKIE, False), (access.SECURE_COOKIE, True)):
        answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
    return answer
