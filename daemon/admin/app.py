"""The application: every router, the layers around them, and a check that each route says whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles

from daemon.admin import docs, problems, session, suite_routes
from daemon.admin.access import Needs
from daemon.admin.api import (
    access_tokens,
    approvals,
    audit,
    background_processes,
    backups,
    cron_health,
    emergency,
    job_actions,
    job_manager,
    jobs,
    me,
    nodes,
    outbox,
    queues,
    reports,
    run_actions,
    runs,
    stats,
)
from daemon.admin.bodies import Bounded
from daemon.admin.crowd import Crowd
from daemon.admin.dashboard import (
    approval_page,
    audit_page,
    job_page,
    node_page,
    outbox_page,
    overview,
    queue_page,
    report_page,
    run_page,
    token_page,
    watching,
)
from daemon.admin.etag import Tagged
from daemon.admin.headers import Guard, Head
from daemon.admin.pages import STATIC
from daemon.admin.problems import Problem, described
from daemon.admin.roles import Role
from daemon.admin.state import AdminState
from daemon.version import VERSION

API = (
    me, access_tokens, jobs, job_actions, runs, run_actions, queues, nodes, outbox, audit, stats, emergency,
    approvals, reports, backups, background_processes, job_manager, cron_health,
)  # fmt: skip
PAGES = (
    session, overview, job_page, run_page, queue_page, outbox_page, node_page, audit_page, token_page, approval_page,
    report_page, watching, docs,
)  # fmt: skip
ROUTERS: tuple[APIRouter, ...] = tuple(module.router for module in (*API, *PAGES))
FOR_ANYBODY = frozenset({("GET", "/login"), ("POST", "/login")})


class NobodyAsked(Exception):
    """A route that says nothing of a role would let everybody in."""


def create_app(state: AdminState) -> FastAPI:
    """Raises `NobodyAsked`, and `ConfigError` for what is wrong with routes of suites."""
    app = FastAPI(
        title="Sexton", version=VERSION, summary="What runs, what ran, and what did not, and why.",
        docs_url=None, redoc_url=None, openapi_url=None, responses=described(400, 401, 403, 408, 413, 422, 429, 503),
        redirect_slashes=False, separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    app.state.admin = state
    _ = state.reports  # what is wrong with them is told now
    problems.handle(app)
    approvals.handle(app)
    for router in (*ROUTERS, *suite_routes.routers(state.catalogue.packages)):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Tagged)
    app.add_middleware(Bounded)
    app.add_middleware(Crowd, turned_away=state.doorkeeper.turn_away)
    app.add_middleware(Guard)
    app.add_middleware(Head)
    silent = [f"{method} {path}" for method, path, role in roles_of(app) if role is None]
    if silent:
        raise NobodyAsked(", ".join(silent))
    _describe(app)
    return app


def roles_of(app: FastAPI) -> Iterator[tuple[str, str, Role | None]]:
    """(method, path, role) of each route that somebody must be let in to; None where it forgot to say."""
    for route in iter_route_contexts(app.routes):
        path, dependant = route.path_format, getattr(route, "dependant", None)
        if isinstance(route.original_route, APIRoute) and path is not None and isinstance(dependant, Dependant):
            for method in sorted(route.methods or ()):
                if (method, path) not in FOR_ANYBODY:
                    yield method, path, _needed(dependant)


def _needed(dependant: Dependant) -> Role | None:
    """The highest role among the dependencies of a route."""
    found = [dependant.call.role] if isinstance(dependant.call, Needs) else []
    found += [role for sub in dependant.dependencies if (role := _needed(sub)) is not None]
    return max(found, default=None)


def _describe(app: FastAPI) -> None:
    """OpenAPI with the problem's schema, and each operation's role."""
    plain = app.openapi

    def described_whole() -> dict[str, Any]:
        whole = plain()
        schemas = whole.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            wanted = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= wanted.pop("$defs", {}) | {"Problem": wanted}
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for method, path, role in roles_of(app):
                operation = whole["paths"].get(path, {}).get(method.lower())
                if operation is not None and role is not None:
                    operation["x-role"] = role.word
        return whole

    app.openapi = described_whole  # type: ignore[method-assign]  # as FastAPI's documentation does
