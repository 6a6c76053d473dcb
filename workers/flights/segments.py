"""A track cut into contiguous stays in charging zones. Workers only.

Consecutive regions of one zone are one stay; coming back to a zone after leaving it is a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shapely import intersects_xy

from workers.flights.charge import Fix, Segment
from workers.flights.geodesy import eastward, normal_longitude
from workers.flights.track import Track, densify
from workers.flights.zones import NOWHERE, Zones

BISECTION_STEPS = 40
MAX_CROSSINGS_PER_LEG = 16


@dataclass(frozen=True, slots=True)
class Point:
    """A fix and the region it is in."""

    fix: Fix
    region: int


def segments(track: Track, zones: Zones) -> list[Segment]:
    """The stays, in order, airspace without a zone among them. At least two positions are needed."""
    track = densify(track)
    regions = zones.classify(track.longitude, track.latitude)
    index = zones.zone_index[regions]
    entry, zone = _fix(track, 0), int(index[0])
    found: list[Segment] = []
    for i in np.flatnonzero(index[1:] != index[:-1]).tolist():
        a = Point(_fix(track, i), int(regions[i]))
        b = Point(_fix(track, i + 1), int(regions[i + 1]))
        for crossing in crossings(zones, a, b):
            found.append(Segment(zones.zones[zone], entry, crossing.fix))
            entry, zone = crossing.fix, int(zones.zone_index[crossing.region])
    found.append(Segment(zones.zones[zone], entry, _fix(track, len(track) - 1)))
    return found


def _fix(track: Track, i: int) -> Fix:
    return Fix(float(track.at[i]), float(track.latitude[i]), float(track.longitude[i]))


def crossings(zones: Zones, a: Point, b: Point, most: int = MAX_CROSSINGS_PER_LEG) -> list[Point]:
    """Where the leg from a to b changes zone: fixes with the region just entered, in order.

    Bisection finds one crossing of one border; what lies on either side of it may hold more, when the leg
    clips a third zone or passes between two.
    """
    zone = zones.zone_index
    if zone[a.region] == zone[b.region]:
        return []
    before, after = bisect(zones, a, b)
    if most <= 1:
        return [Point(after.fix, b.region)]
    found = crossings(zones, a, before, most // 2)
    if zone[before.region] != zone[after.region]:
        found.append(after)
    return found + crossings(zones, after, b, most // 2)


def bisect(zones: Zones, a: Point, b: Point) -> tuple[Point, Point]:
    """The last point before and the first after one border between a and b, 2⁻⁴⁰ of the leg apart.

    Of two regions the first in order owns their overlap, so it is its border that counts.
    """
    leaving = a.region != NOWHERE and (b.region == NOWHERE or a.region < b.region)
    shape = zones.shapes[a.region if leaving else b.region]
    step_lat = b.fix.latitude - a.fix.latitude
    step_lon = eastward(a.fix.longitude, b.fix.longitude)
    near, far = 0.0, 1.0
    for _ in range(BISECTION_STEPS):
        middle = (near + far) / 2
        lat, lon = a.fix.latitude + middle * step_lat, normal_longitude(a.fix.longitude + middle * step_lon)
        if bool(intersects_xy(shape, lon, lat)) == leaving:
            near = middle
        else:
            far = middle
    return _point(zones, a.fix, b.fix, near), _point(zones, a.fix, b.fix, far)


def _point(zones: Zones, a: Fix, b: Fix, share: float) -> Point:
    longitude = normal_longitude(a.longitude + share * eastward(a.longitude, b.longitude))
    latitude = a.latitude + share * (b.latitude - a.latitude)
    return Point(Fix(a.at + share * (b.at - a.at), latitude, longitude), zones.region_at(longitude, latitude))
