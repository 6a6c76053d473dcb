"""Positions from Apache Pinot: a broker's SQL endpoint over HTTP. Worker processes only.

Pinot answers 200 to nearly everything, failures and partial answers included, so each sign of an incomplete
answer is looked for before a single position is believed.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from workers.flights.flight import Flight, Position
from workers.flights.positions import LIMIT, MARGIN_S, PositionsRefusedError, PositionsUnavailableError
from workers.flights.settings import Settings

COLUMNS = ("ts", "latitude", "longitude")
TRANSIENT_STATUS = frozenset({401, 403, 408, 425, 429, 500, 502, 503, 504})
TRANSIENT_ERRORS = frozenset({200, 210, 220, 230, 240, 245, 250, 300, 305, 425, 427, 429, 450, 500, 503})
"""Pinot's codes for what may pass: execution errors and timeouts, servers silent or shutting down, quotas."""


class PinotPositions:
    """A `PositionSource`: a table of `icao24`, `callsign`, `ts` (Unix ms), `latitude` and `longitude`."""

    def __init__(self, settings: Settings) -> None:
        assert settings.pinot_url is not None
        self._timeout_s = settings.pinot_timeout_s
        self._table = settings.pinot_table
        auth: httpx.BasicAuth | None = None
        headers = {"Accept": "application/json"}
        if settings.pinot_user is not None and settings.pinot_password is not None:
            auth = httpx.BasicAuth(settings.pinot_user, settings.pinot_password.get_secret_value())
        elif settings.pinot_token is not None:
            headers["Authorization"] = f"Bearer {settings.pinot_token.get_secret_value()}"
        self._client = httpx.AsyncClient(
            base_url=settings.pinot_url,
            auth=auth,
            headers=headers,
            timeout=httpx.Timeout(settings.pinot_timeout_s, connect=min(5.0, settings.pinot_timeout_s)),
        )

    async def track(self, flight: Flight) -> Sequence[Position]:
        answer = await self._ask(query(self._table, flight))
        return positions_of(complete(answer))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _ask(self, sql: str) -> Mapping[str, Any]:
        """The broker's JSON. The whole exchange, however slowly it trickles, ends within the timeout."""
        options = f"timeoutMs={int(self._timeout_s * 1000)};useMultistageEngine=false"
        body = {"sql": sql, "queryOptions": options, "trace": False}
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._client.post("/query/sql", json=body)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise PositionsUnavailableError(f"Pinot did not answer within {self._timeout_s:g} s") from error
        except httpx.RequestError as error:
            raise PositionsUnavailableError(f"Pinot: {type(error).__name__}: {error}") from error
        return parsed(response)


def query(table: str, flight: Flight) -> str:
    """The positions of the aircraft, or failing its address the callsign, while the flight lasted.

    Pinot takes no parameters over HTTP: values are quoted here, the table's name is checked by the settings.
    """
    who = f"icao24 = {quoted(flight.icao24)}" if flight.icao24 else f"callsign = {quoted(flight.callsign)}"
    since = math.floor((flight.off_block_at.timestamp() - MARGIN_S) * 1000)
    until = math.ceil((flight.arrived_at.timestamp() + MARGIN_S) * 1000)
    return (
        f"SELECT {', '.join(COLUMNS)} FROM {table} WHERE {who} "  # noqa: S608 - see the docstring
        f"AND ts BETWEEN {since} AND {until} ORDER BY ts LIMIT {LIMIT}"
    )


def quoted(text: str) -> str:
    """An SQL string literal; a quote within is doubled."""
    return "'" + text.replace("'", "''") + "'"


def parsed(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of a 200. Statuses that may pass are transient, all else is permanent.

    A broker does not redirect, but a proxy does that has nobody behind it or wants a login.
    """
    status = response.status_code
    if status != httpx.codes.OK:
        said = f"Pinot answered {status}: {response.content[:200].decode(errors='replace')}"
        if status in TRANSIENT_STATUS or response.is_redirect:
            raise PositionsUnavailableError(said, retry_after(response.headers.get("retry-after")))
        raise PositionsRefusedError(said)
    content_type = response.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        # Usually a proxy's page in front of a broker that is down.
        raise PositionsUnavailableError(f"Pinot answered {content_type or 'no content type'}, not JSON")
    try:
        answer = response.json()
    except (ValueError, RecursionError) as error:
        raise PositionsUnavailableError(f"Pinot's answer is not JSON: {error}") from error
    if not isinstance(answer, dict):
        raise PositionsRefusedError(f"Pinot answered a {type(answer).__name__}, not an object")
    return answer


def retry_after(header: str | None) -> float | None:
    """Seconds, as brokers and proxies send them; a date, which is rare, is left to our own delay."""
    return float(header) if header is not None and header.strip().isdecimal() else None


def complete(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result table of an answer with no sign of being partial."""
    if exceptions := answer.get("exceptions"):
        first = exceptions[0] if isinstance(exceptions, list) and isinstance(exceptions[0], dict) else {}
        code = first.get("errorCode")
        passing = isinstance(code, int) and code in TRANSIENT_ERRORS
        kind = PositionsUnavailableError if passing else PositionsRefusedError
        raise kind(f"Pinot exception {code}: {str(first.get('message', exceptions))[:200]}")
    if answer.get("partialResult"):
        raise PositionsUnavailableError("Pinot's result is partial")
    asked, responded = answer.get("numServersQueried"), answer.get("numServersResponded")
    if not isinstance(asked, int) or asked != responded:
        raise PositionsUnavailableError(f"{responded} of {asked} Pinot servers responded")
    if answer.get("numGroupsLimitReached"):
        raise PositionsRefusedError("Pinot reached its limit of groups")
    table = answer.get("resultTable")
    if not isinstance(table, dict):
        raise PositionsRefusedError("Pinot sent no result table")
    return table


def positions_of(table: Mapping[str, Any]) -> list[Position]:
    """The rows as positions. Refused when cut off, short of a column, or out of order in time."""
    schema, rows = table.get("dataSchema"), table.get("rows")
    names = schema.get("columnNames") if isinstance(schema, dict) else None
    if not isinstance(names, list) or not isinstance(rows, list):
        raise PositionsRefusedError("Pinot's result table has no columns or no rows")
    if missing := [column for column in COLUMNS if column not in names]:
        raise PositionsRefusedError(f"Pinot's result lacks {', '.join(missing)}")
    if len(rows) >= LIMIT:
        raise PositionsRefusedError(f"Pinot's result was cut off at {LIMIT} rows")
    ts, latitude, longitude = (names.index(column) for column in COLUMNS)
    try:
        found = [Position(float(r[ts]) / 1000, number(r[latitude]), number(r[longitude])) for r in rows]
    except (TypeError, ValueError, IndexError) as error:
        raise PositionsRefusedError(f"Pinot's result has a row that is no position: {error}") from error
    for earlier, later in itertools.pairwise(found):
        if not later.at > earlier.at:
            raise PositionsRefusedError(f"Pinot's timestamps repeat or go back at {later.at:.3f}")
    return found


def number(value: Any) -> float:
    """A coordinate. Absent ones come as null, "NaN" or "Infinity", and are left to the track's cleaning."""
    return math.nan if value is None else float(value)
