"""Distances on the sphere, in kilometres. Plain floats in degrees, or numpy arrays of them where said."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 of GRS 80 (IUGG): (2a + b) / 3."""


def great_circle_km(latitude1: float, longitude1: float, latitude2: float, longitude2: float) -> float:
    """Haversine distance, km. It stays exact for near points, where the cosine formula loses digits."""
    half_dlat = radians(latitude2 - latitude1) / 2
    half_dlon = radians(longitude2 - longitude1) / 2
    h = sin(half_dlat) ** 2 + cos(radians(latitude1)) * cos(radians(latitude2)) * sin(half_dlon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(h)))


def unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """The point as x, y and z from the earth's centre: through 0° N 0° E, 0° N 90° E and the north pole."""
    parallel = cos(radians(latitude))
    return parallel * cos(radians(longitude)), parallel * sin(radians(longitude)), sin(radians(latitude))


def normal_longitude(longitude: float) -> float:
    """The same meridian within [-180, 180]."""
    return longitude if -180.0 <= longitude <= 180.0 else (longitude + 180.0) % 360.0 - 180.0


def eastward(longitude1: float, longitude2: float) -> float:
    """Degrees from one meridian to another the short way round, east positive: the antimeridian unwrapped."""
    return (longitude2 - longitude1 + 180.0) % 360.0 - 180.0
