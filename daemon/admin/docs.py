"""/openapi.json, and /docs: Swagger UI from our own files, because pages of ours load nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from daemon.admin.access import Viewer
from daemon.admin.pages import page_for

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request, _: Viewer) -> JSONResponse:
    described: dict[str, Any] = request.app.openapi()
    return JSONResponse(described)


@router.get("/docs")
async def docs(caller: Viewer) -> Response:
    return page_for(caller, "docs.html", "API")
