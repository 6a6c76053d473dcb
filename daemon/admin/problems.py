"""Every error as a problem detail (RFC 9457): its status in words, a sentence, and `problems` for each thing wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from daemon.actions_deed import AlreadyCovered, Invalid, Missing, NeedsReason, Refused, Stale
from daemon.admin.database import TooBusy
from daemon.admin.pages import page
from daemon.catalogue import UnknownJob
from daemon.database import DatabaseDown

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "2"}
LOG = logging.getLogger("sexton.admin")


class Wrong(BaseModel):
    """One thing wrong with a request: where, and what."""

    where: str = Field(examples=["body.args"])
    what: str


class Problem(BaseModel):
    """RFC 9457. `problems` names each thing that was refused, or each value that cannot be used."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(ge=400, le=599, examples=[409])
    detail: str | None = None
    instance: str | None = None
    problems: list[str] | list[Wrong] | None = None


class Problematic(HTTPException):
    """An answer that is a problem, with members of its own beside RFC 9457's."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(status, detail, headers)
        self.members = members


def problem(
    request: Request, status: int, detail: str | None, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """A page where a person's browser asks for one, else JSON."""
    if wants_page(request):
        again = status == HTTPStatus.SERVICE_UNAVAILABLE
        answer = page(
            "problem.html", status, heading=HTTPStatus(status).phrase, detail=detail, number=status,
            path=request.url.path, again=again,
        )  # fmt: skip
        answer.headers.update(headers or {})
        return answer
    body = {
        "type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
        "instance": request.url.path, **members,
    }  # fmt: skip
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """A person's browser asks for a page, not a program for data."""
    if request.url.path.startswith(("/api/", "/openapi")):
        return False
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.UNAUTHORIZED and wants_page(request):
        return RedirectResponse("/login", 303)
    members = error.members if isinstance(error, Problematic) else {}
    return problem(request, error.status_code, error.detail, headers=error.headers, **members)


async def _unusable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{w['where']}: {w['what']}" for w in wrong)
    return problem(request, 422, detail, problems=wrong)


async def _refused(request: Request, error: Exception) -> Response:
    """What an action refuses: 422 for what cannot be used at all, 404 for what is not there, 412 for what was changed
    meanwhile, else 409.
    """
    assert isinstance(error, Refused)
    members: dict[str, Any] = {"problems": list(error.problems)}
    if isinstance(error, AlreadyCovered):
        members |= {"run": error.run, "state": error.state}
    return problem(request, _status(error), str(error), **members)


def _status(error: Refused) -> int:
    match error:
        case Invalid():
            return 422
        case Missing():
            return 404
        case Stale():
            return 412
    return 409


async def _reason_missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, NeedsReason)
    return problem(request, 422, f"{error.what}: say why, as `reason`")


async def _unknown_job(request: Request, error: Exception) -> Response:
    return problem(request, 404, str(error.args[0]))


async def _away(request: Request, _: Exception) -> Response:
    return problem(request, 503, "the database does not answer; work waits for it, too", headers=RETRY_AFTER)


async def _busy(request: Request, error: Exception) -> Response:
    return problem(request, 503, str(error), headers=RETRY_AFTER)


async def fault(request: Request, error: Exception) -> Response:
    """Ours. The log has the traceback; the answer has none of it."""
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error, extra={"area": "ADMIN"})
    return problem(request, 500, "a fault of ours; the log has its traceback")


async def _schema_missing(request: Request, error: Exception) -> Response:
    return problem(request, 503, f"the database's schema is not up to date ({error}); run: sexton migrate")


def handle(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unusable)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(NeedsReason, _reason_missing)
    app.add_exception_handler(UnknownJob, _unknown_job)
    app.add_exception_handler(DatabaseDown, _away)
    app.add_exception_handler(TooBusy, _busy)
    app.add_exception_handler(asyncpg.UndefinedTableError, _schema_missing)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: these answers are problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
