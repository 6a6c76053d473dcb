"""A track made fit for measuring: finite, in order, without spikes, without long legs. Workers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.flights.flight import Position
from workers.flights.geodesy import EARTH_RADIUS_KM, great_circle_km

Floats = NDArray[np.float64]

MAX_SPEED_KMH = 1500.0
MAX_GAP_S = 1800.0
MAX_LEG_KM = 5.0


@dataclass(frozen=True, slots=True)
class Track:
    """Positions in order of time (Unix seconds, degrees), and what had to be done to them."""

    at: Floats
    latitude: Floats
    longitude: Floats
    flags: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp], flags: tuple[str, ...]) -> Track:
        return Track(self.at[chosen], self.latitude[chosen], self.longitude[chosen], flags)


def clean(points: Sequence[Position]) -> Track:
    """The track in order of time; impossible, repeated and spiking positions left out and counted."""
    rows = np.array(points, dtype=np.float64).reshape(-1, 3)
    possible = np.isfinite(rows).all(axis=1) & (np.abs(rows[:, 1]) <= 90.0) & (np.abs(rows[:, 2]) <= 180.0)
    flags = [f"impossible positions: {n}"] if (n := len(rows) - int(possible.sum())) else []
    rows = rows[possible] if n else rows
    at = rows[:, 0]
    if len(at) > 1 and not (at[1:] > at[:-1]).all():
        rows = rows[np.lexsort((rows[:, 2], rows[:, 1], at))]
        first = np.append(True, rows[1:, 0] != rows[:-1, 0])
        flags += [f"repeated timestamps: {n}"] if (n := len(rows) - int(first.sum())) else []
        rows = rows[first]
    track = Track(*np.ascontiguousarray(rows.T))
    kept = without_spikes(track)
    flags += [f"spikes: {n}"] if (n := len(track) - int(kept.sum())) else []
    track = track.only(kept, ()) if n else track
    flags += [f"gaps over 30 min: {n}"] if (n := int((np.diff(track.at) > MAX_GAP_S).sum())) else []
    return Track(track.at, track.latitude, track.longitude, tuple(flags))


def leg_km(track: Track) -> Floats:
    """Haversine length of each leg, km."""
    lat = np.radians(track.latitude)
    half = np.radians(np.diff(track.longitude)) / 2
    h = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(half) ** 2
    km: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(h)))
    return km


def without_spikes(track: Track) -> NDArray[np.bool_]:
    """Which positions an aircraft can have reached from those kept before and after, at 1,500 km/h.

    The longest stretch without a faster leg is believed, and the track followed from its ends outwards:
    a spike in the very first position then costs only itself.
    """
    kept = np.ones(len(track), dtype=np.bool_)
    if len(track) < 2:
        return kept
    fast = np.flatnonzero(leg_km(track) > np.diff(track.at) * (MAX_SPEED_KMH / 3600.0))
    if not len(fast):
        return kept
    bounds = np.concatenate(([0], fast + 1, [len(track)]))
    longest = int(np.argmax(np.diff(bounds)))
    start, stop = int(bounds[longest]), int(bounds[longest + 1])
    rows = list(zip(track.at.tolist(), track.latitude.tolist(), track.longitude.tolist(), strict=True))
    for order in (range(stop, len(rows)), range(start - 1, -1, -1)):
        last = rows[order.start - order.step]
        for i in order:
            if reachable(last, rows[i]):
                last = rows[i]
            else:
                kept[i] = False
    return kept


def reachable(a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    return great_circle_km(a[1], a[2], b[1], b[2]) <= abs(b[0] - a[0]) * (MAX_SPEED_KMH / 3600.0)


def densify(track: Track) -> Track:
    """Points along the great circle wherever a leg is over 5 km, so that no zone is stepped over unseen.

    On unit vectors, which know neither poles nor an antimeridian.
    """
    parts = np.ceil(leg_km(track) / MAX_LEG_KM).astype(np.intp)
    np.maximum(parts, 1, out=parts)
    if (parts == 1).all():
        return track
    leg = np.repeat(np.arange(len(parts)), parts)
    share = (np.arange(len(leg)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[leg]
    vectors = unit_vectors(track)
    a, b = vectors[leg], vectors[leg + 1]
    angle = np.arccos(np.clip((a * b).sum(axis=1), -1.0, 1.0))
    sine = np.sin(angle)
    sine[sine < 1e-12] = 1.0
    middle = a * (np.sin((1 - share) * angle) / sine)[:, None] + b * (np.sin(share * angle) / sine)[:, None]
    latitude = np.degrees(np.arctan2(middle[:, 2], np.hypot(middle[:, 0], middle[:, 1])))
    longitude = np.degrees(np.arctan2(middle[:, 1], middle[:, 0]))
    at = track.at[leg] + share * (track.at[leg + 1] - track.at[leg])
    given = share == 0
    latitude[given], longitude[given] = track.latitude[:-1], track.longitude[:-1]
    return Track(
        np.append(at, track.at[-1]),
        np.append(latitude, track.latitude[-1]),
        np.append(longitude, track.longitude[-1]),
        track.flags,
    )


def unit_vectors(track: Track) -> Floats:
    lat, lon = np.radians(track.latitude), np.radians(track.longitude)
    cos = np.cos(lat)
    vectors: Floats = np.stack((cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)), axis=1)
    return vectors
