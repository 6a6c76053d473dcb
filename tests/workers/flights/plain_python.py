"""The plain-Python way: ray casting over every vertex. Oracle of the fast classification, and its baseline.

Nothing here comes from `workers.flights`, so that what it confirms it confirms independently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Ring = Sequence[Sequence[float]]
Box = tuple[float, float, float, float]
Region = tuple[str, str, list[tuple[Box, list[Ring]]]]


def in_ring(longitude: float, latitude: float, ring: Ring) -> bool:
    """Even-odd rule: does a ray to the east cross the ring an odd number of times?"""
    inside = False
    x1, y1 = ring[-1][0], ring[-1][1]
    for vertex in ring:
        x2, y2 = vertex[0], vertex[1]
        if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
            inside = not inside
        x1, y1 = x2, y2
    return inside


def regions(features: Iterable[Mapping[str, Any]], zone_of_fir: Mapping[str, str]) -> list[Region]:
    """(ident, zone, polygons with their bounding boxes) of GeoJSON features, by ident."""
    found: list[Region] = []
    for feature in features:
        geometry, ident = feature["geometry"], feature["properties"]["IDENT"]
        polygons = geometry["coordinates"]
        polygons = [polygons] if geometry["type"] == "Polygon" else polygons
        found.append((ident, zone_of_fir[ident], [(box_of(rings[0]), rings) for rings in polygons]))
    return sorted(found, key=lambda region: region[0])


def box_of(ring: Ring) -> Box:
    xs, ys = [v[0] for v in ring], [v[1] for v in ring]
    return min(xs), min(ys), max(xs), max(ys)


def region_at(longitude: float, latitude: float, among: Sequence[Region]) -> str | None:
    """The ident of the first region the point is in."""
    for ident, _, polygons in among:
        for (west, south, east, north), (outer, *holes) in polygons:
            if not (west <= longitude <= east and south <= latitude <= north):
                continue
            if in_ring(longitude, latitude, outer) and not any(in_ring(longitude, latitude, hole) for hole in holes):
                return ident
    return None


def classify(points: Iterable[tuple[float, float]], among: Sequence[Region]) -> list[str | None]:
    """The region of each (longitude, latitude)."""
    return [region_at(longitude, latitude, among) for longitude, latitude in points]
