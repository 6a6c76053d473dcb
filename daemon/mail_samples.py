"""Samples of the engine's own mails, made as those about real troubles are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from daemon.alerts import Receiver, Row, notices
from daemon.mail_sample import mail_sample

OPENED = datetime(2026, 11, 22, 2, 30, 4, tzinfo=UTC)
TROUBLES: Sequence[tuple[str, str, str, int | None, int]] = (
    ("failed", "house.nightly", "ValueError: row 4711 has no date", 48211, 1),
)
RECOVERED: Sequence[tuple[str, str, str, int | None, int]] = (("away", "sms", "HTTP 503 from the gateway", None, 1),)


@mail_sample("alert")
def alert(_settings: object) -> Mapping[str, Any]:
    return _told("alert", TROUBLES, OPENED)


@mail_sample("alert")
def recovered(_settings: object) -> Mapping[str, Any]:
    return _told("recovered", RECOVERED, OPENED + timedelta(minutes=47))


def _told(template: str, troubles: Sequence[tuple[str, str, str, int | None, int]], now: datetime) -> Mapping[str, Any]:
    rows: list[Row] = [
        {"kind": kind, "subject": subject, "key": f"{kind}:{subject}", "detail": detail, "run": run, "count": count,
         "opened_at": OPENED, "now": now}
        for kind, subject, detail, run, count in troubles
    ]  # fmt: skip
    (notice,) = notices(template, rows, [Receiver("email", "operator@example.org")], "node-1")
    return notice.data
