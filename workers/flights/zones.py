"""Which flight information region, and so which charging zone, a point is in. Runs in worker processes only.

Borders are straight lines between vertices on a longitude-latitude plane, as the polygons are published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate

from workers.flights.flight import Zone
from workers.flights.geodesy import eastward, normal_longitude

Degrees = NDArray[np.float64]
Indices = NDArray[np.int16]
NOWHERE = -1


class ZoneGeometryError(ValueError):
    """A region whose polygon is unusable."""


@dataclass(frozen=True, slots=True)
class Fir:
    """A region, its charging zone, and its GeoJSON Polygon or MultiPolygon in degrees."""

    ident: str
    zone: Zone
    geometry: Mapping[str, Any]


class Zones:
    """Regions in order of their idents; where two overlap, a point belongs to the first.

    Raises `ZoneGeometryError` for a region that has no area: half a map would charge too little in silence.
    """

    def __init__(self, firs: Iterable[Fir]) -> None:
        self.firs: tuple[Fir, ...] = tuple(sorted(firs, key=lambda fir: fir.ident))
        pieces = [(i, piece) for i, fir in enumerate(self.firs) for piece in polygons_of(fir)]
        self._regions: list[int] = [i for i, _ in pieces]
        self._polygons: list[Any] = [polygon for _, polygon in pieces]
        self._pieces = [(i, polygon, polygon.bounds) for i, polygon in pieces]
        self._bounds: Degrees = np.array([p.bounds for p in self._polygons], dtype=np.float64).reshape(-1, 4).T
        codes = sorted({fir.zone for fir in self.firs})
        self.zones: tuple[Zone | None, ...] = (*codes, None)
        # The last entry answers for NOWHERE, which indexes it from the end.
        self.zone_index: Indices = np.array([*(codes.index(f.zone) for f in self.firs), len(codes)], dtype=np.int16)
        self.shapes: tuple[Any, ...] = tuple(
            shapely.unary_union([p for r, p in pieces if r == i]) for i in range(len(self.firs))
        )
        """Each region whole, prepared like its polygons."""
        shapely.prepare(self._polygons)
        shapely.prepare(self.shapes)

    def __len__(self) -> int:
        return len(self.firs)

    def classify(self, longitudes: Degrees, latitudes: Degrees) -> Indices:
        """The region of each point, as an index of `firs`, or NOWHERE. Longitudes within [-180, 180]."""
        found = np.full(len(longitudes), NOWHERE, dtype=np.int16)
        west, south, east, north = self._bounds
        near = (west <= longitudes.max()) & (east >= longitudes.min())
        near &= (south <= latitudes.max()) & (north >= latitudes.min())
        open_ = np.arange(len(longitudes))
        for piece in np.flatnonzero(near).tolist():
            inside = shapely.intersects_xy(self._polygons[piece], longitudes[open_], latitudes[open_])
            if inside.any():
                found[open_[inside]] = self._regions[piece]
                open_ = open_[~inside]
                if not len(open_):
                    break
        return found

    def region_at(self, longitude: float, latitude: float) -> int:
        """The region of one point, as `classify` has it, without the price of arrays."""
        longitude = normal_longitude(longitude)
        for region, polygon, (west, south, east, north) in self._pieces:
            near = west <= longitude <= east and south <= latitude <= north
            if near and shapely.intersects_xy(polygon, longitude, latitude):
                return region
        return NOWHERE

    def zone_at(self, longitude: float, latitude: float) -> Zone | None:
        return self.zones[int(self.zone_index[self.region_at(longitude, latitude)])]


def polygons_of(fir: Fir) -> list[Any]:
    """A region's polygons, unwrapped, with copies 360° away where they reach beyond ±180°."""
    found: list[Any] = []
    coordinates = fir.geometry["coordinates"]
    for rings in [coordinates] if fir.geometry["type"] == "Polygon" else coordinates:
        try:
            polygon = shapely.Polygon(unwrap(rings[0]), [unwrap(hole) for hole in rings[1:]])
        except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
            raise ZoneGeometryError(f"FIR {fir.ident} has a polygon that is none: {error}") from error
        if not polygon.is_valid:
            polygon = shapely.make_valid(polygon)
        if not polygon.area > 0:
            raise ZoneGeometryError(f"FIR {fir.ident} has a polygon without an area")
        for turn in (-360.0, 0.0, 360.0):
            copy = translate(polygon, xoff=turn) if turn else polygon
            west, _, east, _ = copy.bounds
            if east > -180.0 and west < 180.0:
                found.append(copy)
    return found


def unwrap(ring: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """A ring whose longitudes never jump: each step goes the short way round, past ±180° if need be.

    One that has gone all the way round encloses a pole, and is closed along that pole's parallel.
    """
    longitude, latitude = ring[0][0], ring[0][1]
    points = [(longitude, latitude)]
    for vertex in ring[1:]:
        longitude += step if abs(step := vertex[0] - longitude) <= 180.0 else eastward(longitude, vertex[0])
        points.append((longitude, vertex[1]))
    if abs(points[-1][0] - points[0][0]) > 180.0:
        pole = 90.0 if sum(p[1] for p in points) > 0 else -90.0
        points += [(points[-1][0], pole), (points[0][0], pole)]
    return points
