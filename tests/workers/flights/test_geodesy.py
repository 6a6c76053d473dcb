from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.flights.geodesy import EARTH_RADIUS_KM, eastward, great_circle_km, normal_longitude

LHR, CDG = (51.4706, -0.461941), (49.012798, 2.55)
BOM, DEL = (19.0887, 72.8679), (28.5665, 77.1031)
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


def test_london_to_paris_and_mumbai_to_delhi_on_the_sphere() -> None:
    assert great_circle_km(*LHR, *CDG) == pytest.approx(347.168, abs=0.001)
    assert great_circle_km(*BOM, *DEL) == pytest.approx(1138.231, abs=0.001)


def test_across_the_antimeridian_and_over_a_pole_is_the_short_way() -> None:
    assert great_circle_km(0, 179.5, 0, -179.5) == pytest.approx(great_circle_km(0, 0, 0, 1))
    assert great_circle_km(89, 0, 89, 180) == pytest.approx(great_circle_km(88, 0, 90, 0))


def test_half_way_round_is_half_the_circumference() -> None:
    assert great_circle_km(0, 0, 0, 180) == pytest.approx(3.141592653589793 * EARTH_RADIUS_KM)


@given(latitudes, longitudes, latitudes, longitudes)
def test_there_and_back_are_equally_far(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    assert great_circle_km(lat1, lon1, lat2, lon2) == pytest.approx(great_circle_km(lat2, lon2, lat1, lon1))


@given(longitudes, longitudes)
def test_eastward_goes_the_short_way_and_arrives(lon1: float, lon2: float) -> None:
    step = eastward(lon1, lon2)
    assert -180 <= step <= 180
    assert abs(eastward(normal_longitude(lon1 + step), lon2)) == pytest.approx(0, abs=1e-9)
