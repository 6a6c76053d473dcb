"""Attacks on the way in: tokens that lie, cookies that are borrowed, requests that other sites forge."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest

from daemon.admin import tokens
from daemon.admin.roles import Role
from daemon.admin_settings import AdminSettings
from tests.daemon.actions_house import audit
from tests.daemon.admin.house import GRACE, KEY, House, house

ME = "/api/v1/me"
LONG_KEY = KEY * 2


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def forged(token: str, key: str = KEY, algorithm: str = "HS256", **changed: Any) -> str:
    """The token with other claims, signed by somebody who has the key; None takes a claim away."""
    claims = {k: v for k, v in (claims_of(token) | changed).items() if v is not None}
    return jwt.encode(claims, key, algorithm=algorithm)


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(token: str, algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims_of(token))}."


def tampered(token: str) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{part(claims_of(token) | {'role': 'admin'})}.{signature}"


def past(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


ATTACKS = {
    "no token at all": lambda _: "not-a-token",
    "no signature, none": lambda t: unsigned(t, "none"),
    "no signature, None": lambda t: unsigned(t, "None"),
    "no signature, HS256": lambda t: unsigned(t, "HS256"),
    "another algorithm of the same key": lambda t: forged(t, key=LONG_KEY, algorithm="HS512"),
    "another key": lambda t: forged(t, key="another key of at least thirty-two octets"),
    "a role changed afterwards": tampered,
    "a role that its row does not have": lambda t: forged(t, role="admin"),
    "a role there is none of": lambda t: forged(t, role="root"),
    "a name that its row does not have": lambda t: forged(t, sub="root"),
    "expired": lambda t: forged(t, exp=past(60)),
    "never expiring": lambda t: forged(t, exp=None),
    "not issued yet": lambda t: forged(t, iat=past(-600)),
    "another audience": lambda t: forged(t, aud="somebody-else"),
    "no audience": lambda t: forged(t, aud=None),
    "a cookie's audience": lambda t: forged(t, aud=tokens.FOR_BROWSER),
    "another issuer": lambda t: forged(t, iss="somebody else"),
    "no id": lambda t: forged(t, jti=None),
    "an id that was never given": lambda t: forged(t, jti=str(uuid4())),
    "an id that is none": lambda t: forged(t, jti="1 OR 1=1"),
}


async def test_a_token_lets_its_holder_in(open_house: House) -> None:
    answer = await open_house.operator.get(ME)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["role"], answer.json()["csrf"]) == ("otto", "operator", "")


async def test_a_token_that_lies_is_refused(open_house: House) -> None:
    token = await open_house.token(Role.VIEWER)
    answers = {n: await open_house.client(None).get(ME, headers=bearer(attack(token))) for n, attack in ATTACKS.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(ATTACKS, 401)
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers.values())
    assert (await open_house.client(None).get(ME, headers=bearer(token))).status_code == 200


async def test_what_was_signed_for_another_algorithm_is_not_tried_as_ours(open_house: House) -> None:
    """Algorithm confusion: an RS256 head over a signature made with HMAC and our key."""
    token = await open_house.token(Role.VIEWER)
    head, rest = part({"alg": "RS256", "typ": "JWT"}), token.partition(".")[2]
    answer = await open_house.client(None).get(ME, headers=bearer(f"{head}.{rest}"))
    assert answer.status_code == 401


async def test_the_database_has_the_last_word_on_expiry(open_house: House, connection: asyncpg.Connection) -> None:
    token = await open_house.token(Role.VIEWER)
    await connection.execute("UPDATE sexton.access_token SET expires_at = sexton.clock() WHERE name = 'ada'")
    assert (await open_house.client(None).get(ME, headers=bearer(token))).status_code == 401


async def test_a_revoked_token_is_worthless_at_once(open_house: House, connection: asyncpg.Connection) -> None:
    assert (await open_house.viewer.get(ME)).status_code == 200
    await tokens.revoke(connection, GRACE, "vera")
    assert (await open_house.viewer.get(ME)).status_code == 401
    assert (await open_house.operator.get(ME)).status_code == 200


async def test_who_is_wrong_too_often_is_told_to_wait_and_valid_tokens_still_pass(open_house: House) -> None:
    async with open_house.new_client(headers=bearer("wrong")) as client:
        answers = [(await client.get(ME)).status_code for _ in range(open_house.state.tokens.most + 1)]
        last = await client.get(ME)
    assert (answers[0], answers[-1], last.status_code) == (401, 429, 429)
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert (await open_house.viewer.get(ME)).status_code == 200


async def test_the_use_of_a_token_is_noted_now_and_then(open_house: House, connection: asyncpg.Connection) -> None:
    await open_house.viewer.get(ME)
    used = "SELECT last_used_at FROM sexton.access_token WHERE name = 'vera'"
    first = await connection.fetchval(used)
    await open_house.viewer.get(ME)
    assert first is not None
    assert await connection.fetchval(used) == first


@asynccontextmanager
async def logged_in(opened: House, role: Role = Role.ADMIN) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's session: the cookie, and nothing else."""
    async with opened.new_client() as client:
        answer = await client.post("/login", data={"token": await opened.token(role)})
        assert answer.status_code == 303
        yield client


async def test_a_login_gives_a_cookie_that_no_script_and_no_other_site_can_use(open_house: House) -> None:
    async with logged_in(open_house) as client:
        (cookie,) = client.cookies.jar
        assert {"HttpOnly", "SameSite"} <= set(cookie._rest)
        assert (cookie._rest["SameSite"], cookie.secure, cookie.path) == ("strict", False, "/")
        assert (await client.get(ME)).json()["csrf"] != ""


async def test_a_cookie_is_no_token_and_a_token_no_cookie(open_house: House) -> None:
    async with logged_in(open_house) as client:
        (cookie,) = client.cookies.jar
        assert (await open_house.client(None).get(ME, headers=bearer(cookie.value or ""))).status_code == 401
    token = await open_house.token(Role.ADMIN)
    async with open_house.new_client(cookies={"sexton_session": token}) as client:
        assert (await client.get(ME)).status_code == 401


async def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(open_house: House) -> None:
    """A name that is not this machine's own: whoever is reached by it must be reached through TLS."""
    answer = await open_house.client(None).post(
        "/login", data={"token": await open_house.token(Role.ADMIN)}, headers={"Host": "admin.example.org"}
    )
    assert answer.headers["set-cookie"].startswith("__Host-sexton_session=")
    assert "Secure" in answer.headers["set-cookie"]


FORGERIES: list[tuple[dict[str, str], bool, int]] = [
    ({}, True, 303),
    ({}, False, 403),
    ({"Sec-Fetch-Site": "same-origin"}, True, 303),
    ({"Sec-Fetch-Site": "same-origin"}, False, 403),
    ({"Sec-Fetch-Site": "cross-site"}, True, 403),
    ({"Sec-Fetch-Site": "same-site"}, True, 403),
    ({"Origin": "https://evil.example"}, True, 403),
    ({"Origin": "null"}, True, 403),
]


async def test_a_change_by_cookie_must_come_from_our_own_page(open_house: House) -> None:
    statuses = []
    for headers, sends_token, _ in FORGERIES:
        async with logged_in(open_house) as client:
            csrf = (await client.get(ME)).json()["csrf"] if sends_token else "0" * 64
            statuses.append((await client.post("/logout", headers={**headers, "X-CSRF-Token": csrf})).status_code)
    assert statuses == [status for *_, status in FORGERIES]


async def test_the_token_of_another_session_does_not_count(open_house: House) -> None:
    async with logged_in(open_house) as mine, logged_in(open_house) as theirs:
        csrf = (await theirs.get(ME)).json()["csrf"]
        assert (await mine.post("/logout", data={"csrf": csrf})).status_code == 403
        assert (await theirs.post("/logout", data={"csrf": csrf})).status_code == 303


async def test_logging_out_ends_the_session_for_whoever_copied_the_cookie(open_house: House) -> None:
    async with logged_in(open_house) as client:
        (cookie,) = client.cookies.jar
        await client.post("/logout", data={"csrf": (await client.get(ME)).json()["csrf"]})
    async with open_house.new_client(cookies={"sexton_session": cookie.value or ""}) as thief:
        assert (await thief.get(ME)).status_code == 401


async def test_logging_in_and_out_is_audited(open_house: House, connection: asyncpg.Connection) -> None:
    async with logged_in(open_house) as client:
        await client.post("/logout", data={"csrf": (await client.get(ME)).json()["csrf"]})
    entries = [row for row in await audit(connection) if row["target"].startswith("session ")]
    assert [(row["action"], row["who"], row["origin"]) for row in entries] == [
        ("log in", "ada", "browser 127.0.0.1"), ("log out", "ada", "browser 127.0.0.1"),
    ]  # fmt: skip
    assert entries[0]["target"] == entries[1]["target"]


async def test_revoking_a_token_ends_its_sessions(open_house: House, connection: asyncpg.Connection) -> None:
    async with logged_in(open_house) as client:
        assert (await client.get(ME)).status_code == 200
        await tokens.revoke(connection, GRACE, "ada")
        assert (await client.get(ME)).status_code == 401


async def test_logins_that_fail_too_often_are_not_listened_to(open_house: House) -> None:
    async with open_house.new_client() as client:
        wrong = [(await client.post("/login", data={"token": "wrong"})).status_code for _ in range(11)]
        assert wrong == [401] * 10 + [429]
        right = await client.post("/login", data={"token": await open_house.token(Role.ADMIN)})
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) > 0


async def test_a_login_that_another_site_sends_is_refused(open_house: House) -> None:
    token = await open_house.token(Role.ADMIN)
    answer = await open_house.client(None).post(
        "/login", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_browser_without_a_session_is_shown_the_login(open_house: House) -> None:
    answer = await open_house.client(None).get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert (await open_house.client(None).get("/")).status_code == 401


async def test_what_was_not_admitted_is_logged_without_the_token(
    open_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    token = forged(await open_house.token(Role.VIEWER), role="admin")
    await open_house.client(None).get(ME, headers=bearer(token))
    await open_house.client(None).post("/login", data={"token": token})
    said = [record.getMessage() for record in caplog.records if record.name == "sexton.admin"]
    assert len(said) == 2
    assert all(line.startswith("not admitted from 127.0.0.1: token ") for line in said)
    assert token not in caplog.text


async def via(opened: House) -> tuple[str, str]:
    """Log in as a proxy with TLS would pass it on; the cookie, and whom the audit names."""
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    token = await opened.token(Role.OPERATOR)
    answer = await opened.client(None).post("/login", data={"token": token}, headers=headers)
    await opened.operator.post("/api/v1/emergency-stop", headers=headers)
    origin = await opened.connection.fetchval("SELECT origin FROM sexton.audit WHERE action = 'emergency stop'")
    return answer.headers["set-cookie"].partition("=")[0], origin


async def test_a_trusted_proxy_is_believed_about_who_asks(url: str) -> None:
    async with house(url, settings=AdminSettings(listen="127.0.0.1:0", proxies=("127.0.0.1",))) as opened:
        assert await via(opened) == ("__Host-sexton_session", "api 203.0.113.9")
        answer = await opened.viewer.get(ME, headers={"X-Forwarded-Proto": "https"})
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_anybody_else_is_not(url: str) -> None:
    async with house(url, settings=AdminSettings(listen="127.0.0.1:0", proxies=("10.0.0.1",))) as opened:
        assert await via(opened) == ("sexton_session", "api 127.0.0.1")
        assert "strict-transport-security" not in (await opened.viewer.get(ME)).headers
