"""A track cut into contiguous stays in charging zones. Workers only.

Consecutive regions of one zone are one stay; coming back to a zone after leaving it is a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, degrees, hypot

import numpy as np
from shapely import intersects_xy

from workers.flights.charge import Fix, Segment
from workers.flights.geodesy import great_circle_km, unit_vector
from workers.flights.track import Track, densify
from workers.flights.zones import NOWHERE, Zones

BISECTION_STEPS = 40
MAX_CROSSINGS_PER_LEG = 16

TOUCH_S = 0.01
"""A stay as short as this, a metre or two, is a border touched and not a visit."""

SLIVER_KM, SLIVER_S = 0.1, 60.0
"""Two drawings of one border differ by a few seconds of arc and leave such strips between them."""


@dataclass(frozen=True, slots=True)
class Point:
    """A fix and the region it is in."""

    fix: Fix
    region: int


class Leg:
    """The great circle between two fixes at most a few km apart, where its chord is as good.

    On vectors, because degrees cannot be interpolated next to a pole.
    """

    def __init__(self, start: Fix, end: Fix) -> None:
        self.start, self.end = start, end
        self._x, self._y, self._z = unit_vector(start.latitude, start.longitude)
        x, y, z = unit_vector(end.latitude, end.longitude)
        self._dx, self._dy, self._dz = x - self._x, y - self._y, z - self._z

    def at(self, share: float) -> tuple[float, float]:
        """Longitude and latitude of the point that part of the way along."""
        x, y = self._x + share * self._dx, self._y + share * self._dy
        z = self._z + share * self._dz
        return degrees(atan2(y, x)), degrees(atan2(z, hypot(x, y)))


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
    return joined(found)


def joined(found: list[Segment]) -> list[Segment]:
    """Without stays that are none, and what they parted made one again; each begins where the one before ends."""
    visits = [stay for stay in found if stay.exit.at - stay.entry.at > TOUCH_S] or found[:1]
    stays = [replace(visits[0], entry=found[0].entry)]
    for visit in visits[1:]:
        if len(stays) > 1 and is_sliver(stays[-1]) and stays[-2].zone == visit.zone:
            stays.pop()
        if stays[-1].zone == visit.zone:
            stays[-1] = replace(stays[-1], exit=visit.exit)
        else:
            stays.append(replace(visit, entry=stays[-1].exit))
    stays[-1] = replace(stays[-1], exit=found[-1].exit)
    return stays


def is_sliver(stay: Segment) -> bool:
    """Nobody's airspace, crossed in passing: whoever stays and comes back to where it left was really there."""
    a, b = stay.entry, stay.exit
    return (
        stay.zone is None
        and b.at - a.at < SLIVER_S
        and great_circle_km(a.latitude, a.longitude, b.latitude, b.longitude) < SLIVER_KM
    )


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
    leg = Leg(a.fix, b.fix)
    near, far = 0.0, 1.0
    for _ in range(BISECTION_STEPS):
        middle = (near + far) / 2
        if bool(intersects_xy(shape, *leg.at(middle))) == leaving:
            near = middle
        else:
            far = middle
    return _point(zones, leg, near), _point(zones, leg, far)


def _point(zones: Zones, leg: Leg, share: float) -> Point:
    longitude, latitude = leg.at(share)
    a, b = leg.start, leg.end
    return Point(Fix(a.at + share * (b.at - a.at), latitude, longitude), zones.region_at(longitude, latitude))
