"""The plain-Python rating loop: which region each position of a track is in, by ray casting, one process.

Twice: over every vertex of every region, as a plain loop does it, and with the bounding boxes of the tests' oracle.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from tests.workers.flights import plain_python
from workers.flights.sample import Sample, SampleFlight, default_cache, fetch
from workers.flights.sample_zones import ZONE_OF_FIR


async def main(flights: int) -> dict[str, Any]:
    """Every nth flight of the collection, so that short and long ones are as they are in the whole."""
    sample = Sample(fetch(default_cache()))
    regions = plain_python.regions(sample.firs(), ZONE_OF_FIR)
    swiss = sample.swiss()
    chosen = swiss[:: max(1, len(swiss) // flights)][:flights]
    everywhere = (-math.inf, -math.inf, math.inf, math.inf)
    unboxed = [(ident, zone, [(everywhere, rings) for _, rings in parts]) for ident, zone, parts in regions]
    return {"every_vertex": per_flight(chosen, unboxed), "boxes": per_flight(chosen, regions)}


def per_flight(flights: Sequence[SampleFlight], regions: Sequence[plain_python.Region]) -> float:
    began = time.perf_counter()
    for flight in flights:
        plain_python.classify(((p.longitude, p.latitude) for p in flight.points), regions)
    return (time.perf_counter() - began) / len(flights)
