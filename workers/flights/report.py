"""What a worker sends home about one flight: plain values, which the supervisor reads without geometry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workers.flights.charge import Rated, Unratable


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How rating went. Times are milliseconds; `points` is how many positions there were.

    `customer_id` and `service_on` are there for every rated flight. A `transient` failure may pass without
    anyone's doing, after `retry_after_s` if the source said so.
    """

    flight_id: int
    outcome: Rated | Unratable
    customer_id: int | None = None
    service_on: date | None = None
    transient: bool = False
    retry_after_s: float | None = None
    worker_pid: int = 0
    points: int = 0
    fetch_ms: float = 0.0
    cpu_ms: float = 0.0
