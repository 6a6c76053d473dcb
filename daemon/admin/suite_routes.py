"""Routes of suites, among ours: who may ask is checked, reading is bounded, answers are JSON."""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, get_type_hints

from fastapi import APIRouter, Depends, Response

from daemon import sql, suite_routes
from daemon.admin.access import Caller, Needs
from daemon.admin.problems import Problematic, described
from daemon.admin.roles import Role
from daemon.admin.state import AdminState, State
from daemon.config import ConfigError
from daemon.connections import Session
from daemon.jsonable import to_json
from daemon.route import NotFound, Route, Unavailable

(LOOK_AT,) = sql.load(__file__, "look_at")


class AdminQuestion:
    """What a suite's function gets; see `daemon.route.Question`."""

    def __init__(self, state: AdminState, suite: str, caller: Caller, *, may_write: bool) -> None:
        self._state, self._suite, self._caller, self._may_write = state, suite, caller, may_write

    @property
    def caller(self) -> str:
        return self._caller.name

    @property
    def settings(self) -> Any:
        return self._state.catalogue.settings.get(self._suite)

    def now(self) -> datetime:
        return self._state.engine.clock.now()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        async with (
            self._state.database.reading() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(LOOK_AT.text, f'"{self._suite}"')
            yield Session(connection, self._state.engine.outage)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        if not self._may_write:
            raise TypeError("a route of GET only reads: declare it with method='POST'")
        async with self._state.database.acting() as connection, connection.transaction():
            await connection.execute(LOOK_AT.text, f'"{self._suite}"')
            yield Session(connection, self._state.engine.outage)


def routers(packages: Mapping[str, str]) -> list[APIRouter]:
    """One router a suite that has routes. Raises `ConfigError` with everything that is wrong with any of them."""
    problems: list[str] = []
    found = suite_routes.read(packages, problems)
    if problems:
        raise ConfigError(problems)
    return [_router(suite, routes) for suite, routes in found.items()]


def _router(suite: str, routes: Sequence[Route]) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=[suite], responses=described(404))
    for route in routes:
        router.add_api_route(
            route.path, _endpoint(suite, route), methods=[route.method], response_class=Response,
            response_model=None, name=f"{suite} {route.answer.__name__}", summary=(route.answer.__doc__ or "").strip(),
            responses={200: {"content": {"application/json": {"schema": {}}}}},
        )  # fmt: skip
    return router


def _endpoint(suite: str, route: Route) -> Any:
    """A function that FastAPI reads the suite's parameters from, with the state and the caller before them."""
    needs = Depends(Needs(Role.of(route.role)))

    async def endpoint(**given: Any) -> Response:
        state, caller = given.pop("__state"), given.pop("__caller")
        question = AdminQuestion(state, suite, caller, may_write=route.method == "POST")
        try:
            answer = await route.answer(question, **given)
        except NotFound as error:
            raise Problematic(404, str(error)) from error
        except ValueError as error:
            raise Problematic(422, str(error)) from error
        except Unavailable as error:
            wait = None if error.again_in is None else {"Retry-After": str(math.ceil(error.again_in.total_seconds()))}
            raise Problematic(503, str(error), headers=wait) from error
        return Response(to_json(answer), media_type="application/json")

    hints = get_type_hints(route.answer, include_extras=True)
    _, *theirs = inspect.signature(route.answer).parameters.values()
    named = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("__state", named, annotation=State),
        inspect.Parameter("__caller", named, annotation=Annotated[Caller, needs]),
        *(p.replace(kind=named, annotation=hints[p.name]) for p in theirs),
    ]
    endpoint.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    endpoint.__doc__ = route.answer.__doc__
    return endpoint
