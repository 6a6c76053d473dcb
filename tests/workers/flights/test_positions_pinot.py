"""The Pinot client against a real HTTP server: every way an answer can be wrong."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.workers.flights.broker import Broker, broker, table
from tests.workers.flights.builders import START, flight
from workers.flights import positions_pinot
from workers.flights.flight import Flight, Position
from workers.flights.positions import LIMIT, PositionsRefusedError, PositionsUnavailableError
from workers.flights.positions_pinot import PinotPositions
from workers.flights.settings import Settings

MS = int(START * 1000)
ROWS = [[MS, 46.0, 7.0], [MS + 10_000, 46.1, 7.1], [MS + 20_000, 46.2, 7.2]]
TRACK = [Position(START, 46.0, 7.0), Position(START + 10, 46.1, 7.1), Position(START + 20, 46.2, 7.2)]


@pytest.fixture
async def pinot() -> AsyncIterator[Broker]:
    async with broker() as found:
        found.says(table(ROWS))
        yield found


async def ask(pinot: Broker, about: Flight | None = None, **options: Any) -> list[Position]:
    settings = Settings(positions="pinot", pinot_url=pinot.url, **{"pinot_timeout_s": 5.0, **options})
    source = PinotPositions(settings)
    try:
        return list(await source.track(about or flight()))
    finally:
        await source.aclose()


async def test_a_complete_answer_is_the_track(pinot: Broker) -> None:
    assert await ask(pinot) == TRACK


async def test_the_query_names_its_limit_and_order_and_gives_ten_minutes_either_side(pinot: Broker) -> None:
    await ask(pinot)
    (seen,) = pinot.seen
    assert seen.path == "POST /query/sql HTTP/1.1"
    assert seen.body == {
        "sql": f"SELECT ts, latitude, longitude FROM flight_positions WHERE icao24 = '3003ae' AND ts BETWEEN "
        f"{MS - 600_000} AND {MS + 7_800_000} ORDER BY ts LIMIT {LIMIT}",
        "queryOptions": "timeoutMs=5000;useMultistageEngine=false",
        "trace": False,
    }


async def test_without_an_address_the_callsign_is_asked_for_with_its_quotes_doubled(pinot: Broker) -> None:
    await ask(pinot, flight(icao24=None, callsign="O'NEIL' OR '1'='1"))
    assert "WHERE callsign = 'O''NEIL'' OR ''1''=''1' AND ts" in pinot.seen[0].body["sql"]


async def test_basic_credentials_reach_the_server(pinot: Broker) -> None:
    await ask(pinot, pinot_user="sexton", pinot_password="päss:word")
    kind, _, said = pinot.seen[0].headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(said).decode()) == ("Basic", "sexton:päss:word")


async def test_a_bearer_token_reaches_the_server(pinot: Broker) -> None:
    await ask(pinot, pinot_token="t0ken")
    assert pinot.seen[0].headers["authorization"] == "Bearer t0ken"


async def test_without_credentials_none_are_sent(pinot: Broker) -> None:
    await ask(pinot)
    assert "authorization" not in pinot.seen[0].headers


async def test_columns_are_found_by_name_and_absent_coordinates_are_left_to_cleaning(pinot: Broker) -> None:
    pinot.says(table([[7.0, MS, 46.0], [None, MS + 1000, "NaN"]], columns=("longitude", "ts", "latitude")))
    first, second = await ask(pinot)
    assert first == TRACK[0]
    assert math.isnan(second.latitude)
    assert math.isnan(second.longitude)


async def test_no_rows_is_an_empty_track(pinot: Broker) -> None:
    pinot.says(table([]))
    assert await ask(pinot) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exceptions": [{"errorCode": 250, "message": "timed out"}]}, "exception 250: timed out"),
        ({"exceptions": [{"errorCode": 427, "message": "server down"}]}, "exception 427"),
        ({"exceptions": [{"errorCode": 429, "message": "quota"}]}, "exception 429"),
        ({"partialResult": True}, "partial"),
        ({"numServersResponded": 1}, "1 of 2 Pinot servers"),
        ({"numServersQueried": None}, "2 of None"),
        ({"numServersResponded": 3}, "3 of 2 Pinot servers"),
    ],
)
async def test_a_200_that_is_incomplete_for_now_is_unavailable(
    pinot: Broker, changes: dict[str, Any], message: str
) -> None:
    pinot.says(table(ROWS, **changes))
    with pytest.raises(PositionsUnavailableError, match=message):
        await ask(pinot)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exceptions": [{"errorCode": 150, "message": "SQL parsing"}]}, "exception 150: SQL parsing"),
        ({"exceptions": [{"errorCode": 410, "message": "no table"}]}, "exception 410"),
        ({"exceptions": ["odd"]}, "odd"),
        ({"exceptions": [{"errorCode": [250], "message": "odd"}]}, "odd"),
        ({"numGroupsLimitReached": True}, "limit of groups"),
        ({"resultTable": None}, "no result table"),
        ({"resultTable": {"rows": []}}, "no columns"),
        ({"resultTable": {"dataSchema": {"columnNames": ["ts", "latitude"]}, "rows": []}}, "lacks longitude"),
    ],
)
async def test_a_200_that_will_not_get_better_is_refused(pinot: Broker, changes: dict[str, Any], message: str) -> None:
    pinot.says(table(ROWS, **changes))
    with pytest.raises(PositionsRefusedError, match=message):
        await ask(pinot)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[0], ROWS[2], ROWS[1]], "repeat or go back"),
        ([ROWS[0], ROWS[0]], "repeat or go back"),
        ([[MS, 46.0]], "no position"),
        ([[None, 46.0, 7.0]], "no position"),
        ([[MS, "north", 7.0]], "no position"),
    ],
)
async def test_rows_out_of_order_or_out_of_shape_are_refused(
    pinot: Broker, rows: list[list[object]], message: str
) -> None:
    pinot.says(table(rows))
    with pytest.raises(PositionsRefusedError, match=message):
        await ask(pinot)


async def test_an_answer_of_as_many_rows_as_the_limit_was_cut_off(
    pinot: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions_pinot, "LIMIT", 3)
    with pytest.raises(PositionsRefusedError, match="cut off at 3 rows"):
        await ask(pinot)


@pytest.mark.parametrize(
    "status", ["302 Found", "401 No", "403 No", "408 Slow", "429 Too Many", "500 Oops", "502 Bad", "503 Away"]
)
async def test_a_status_that_may_pass_is_unavailable(pinot: Broker, status: str) -> None:
    pinot.says({"error": "later"}, status=status)
    with pytest.raises(PositionsUnavailableError, match=status[:3]):
        await ask(pinot)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "410 Gone"])
async def test_a_status_that_will_not_pass_is_refused(pinot: Broker, status: str) -> None:
    pinot.says({"error": "no"}, status=status)
    with pytest.raises(PositionsRefusedError, match=status[:3]):
        await ask(pinot)


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"<html>maintenance</html>", "text/html", "text/html, not JSON"),
        (b"{}", None, "no content type, not JSON"),
        (b"<html>", "application/json", "is not JSON"),
    ],
)
async def test_a_page_instead_of_json_is_unavailable(
    pinot: Broker, body: bytes, content_type: str | None, message: str
) -> None:
    pinot.says(body, content_type=content_type)
    with pytest.raises(PositionsUnavailableError, match=message):
        await ask(pinot)


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (b"\x1f\x8bcut off", "Content-Encoding: gzip"),
        (gzip.compress(json.dumps(table(ROWS)).encode())[:60], "Content-Encoding: gzip"),
        (b"[" * 100_000, ""),
    ],
    ids=["no gzip at all", "gzip cut off", "nested without end"],
)
async def test_a_body_that_cannot_be_read_is_unavailable(pinot: Broker, body: bytes, header: str) -> None:
    pinot.says(body, more=f"{header}\r\n" if header else "")
    with pytest.raises(PositionsUnavailableError, match="Pinot"):
        await ask(pinot)


async def test_a_page_in_an_impossible_encoding_is_still_told_by_its_status(pinot: Broker) -> None:
    pinot.says(b"maintenance", status="503 Away", content_type="text/html; charset=zlib")
    with pytest.raises(PositionsUnavailableError, match="503: maintenance"):
        await ask(pinot)


async def test_json_that_is_no_object_is_refused(pinot: Broker) -> None:
    pinot.says([1, 2])
    with pytest.raises(PositionsRefusedError, match="a list"):
        await ask(pinot)


@pytest.mark.parametrize("cut_at", [0, 20, 200])
async def test_a_connection_cut_in_the_middle_is_unavailable(pinot: Broker, cut_at: int) -> None:
    pinot.cut_at = cut_at
    with pytest.raises(PositionsUnavailableError, match="Pinot"):
        await ask(pinot)


async def test_a_slow_answer_is_unavailable(pinot: Broker) -> None:
    pinot.delay_s = 30
    with pytest.raises(PositionsUnavailableError, match=r"within 0\.2 s"):
        await ask(pinot, pinot_timeout_s=0.2)


async def test_an_answer_that_trickles_ends_with_the_time_for_the_whole_exchange(pinot: Broker) -> None:
    """Each byte comes in time by itself; all of them together do not."""
    pinot.byte_every_s = 0.05
    with pytest.raises(PositionsUnavailableError, match=r"within 0\.5 s"):
        await ask(pinot, pinot_timeout_s=0.5)


async def test_nobody_listening_is_unavailable() -> None:
    async with broker() as gone:
        pass
    with pytest.raises(PositionsUnavailableError, match="ConnectError"):
        await ask(gone)


async def test_no_message_repeats_a_secret(pinot: Broker) -> None:
    pinot.says({"error": "denied"}, status="401 Unauthorized")
    with pytest.raises(PositionsUnavailableError) as refused:
        await ask(pinot, pinot_user="sexton", pinot_password="s3cret")
    assert "s3cret" not in str(refused.value)
