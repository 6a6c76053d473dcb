"""Sample reference data: which charging zone each FIR is in, and what it asks.

Rates marked published are those of September 2023 in EUR; the others, and all conversions, are made up
near their neighbours'. All are valid 2018 to 2020 here, so that the sample flights can be billed.
"""

from __future__ import annotations

from typing import NamedTuple

ZONE_OF_FIR = {
    "EBBU": "EB", "EDGG": "ED", "EDMM": "ED", "EDWW": "ED", "EETT": "EE", "EFIN": "EF", "EGGX": "EGGX",
    "EGPX": "EG", "EGTT": "EG", "EHAA": "EH", "EISN": "EI", "EKDK": "EK", "ENOB": "EN", "ENOR": "EN",
    "EPWW": "EP", "ESAA": "ES", "EVRR": "EV", "EYVL": "EY", "GCCC": "GC", "LAAA": "LA", "LBSR": "LB",
    "LCCC": "LC", "LDZO": "LD", "LECB": "LE", "LECM": "LE", "LFBB": "LF", "LFEE": "LF", "LFFF": "LF",
    "LFMM": "LF", "LFRR": "LF", "LGGG": "LG", "LHCC": "LH", "LIBB": "LI", "LIMM": "LI", "LIRR": "LI",
    "LJLA": "LJ", "LKAA": "LK", "LLLL": "LL", "LMMM": "LM", "LOVV": "LO", "LPPC": "LP", "LPPO": "AZ",
    "LQSB": "LQ", "LRBB": "LR", "LSAS": "LS", "LTAA": "LT", "LTBB": "LT", "LUUU": "LU", "LWSS": "LW",
    "LYBA": "LY", "LZBB": "LZ", "UDDD": "UD", "UGGG": "UG", "UKBV": "UK", "UKDV": "UK", "UKFV": "UK",
    "UKLV": "UK", "UKOV": "UK",
}  # fmt: skip
"""By table, for the first letters lie: Lisbon is not Santa Maria, and London is not Shanwick."""


class ZoneSample(NamedTuple):
    """A charging zone with its unit rates per service unit, and where the en-route one is from."""

    code: str
    name: str
    currency: str
    enroute: str
    terminal: str
    source: str = "sample"
    charged_on: str = "LANDING"


PUBLISHED = "published, Sept 2023"
CONVERTED = "published in EUR, Sept 2023, at a sample rate of exchange"

ZONES = (
    ZoneSample("AZ", "Portugal, Santa Maria", "EUR", "10.03", "120.00", PUBLISHED),
    ZoneSample("EB", "Belgium and Luxembourg", "EUR", "113.21", "217.00", PUBLISHED),
    ZoneSample("ED", "Germany", "EUR", "73.04", "174.00", PUBLISHED),
    ZoneSample("EE", "Estonia", "EUR", "38.20", "120.00"),
    ZoneSample("EF", "Finland", "EUR", "47.10", "135.00"),
    ZoneSample("EG", "United Kingdom", "GBP", "75.58", "95.00", CONVERTED),
    ZoneSample("EGGX", "Shanwick Oceanic", "GBP", "12.40", "95.00"),
    ZoneSample("EH", "Netherlands", "EUR", "80.15", "160.00"),
    ZoneSample("EI", "Ireland", "EUR", "26.46", "140.00", PUBLISHED),
    ZoneSample("EK", "Denmark", "DKK", "447.00", "1180.00"),
    ZoneSample("EN", "Norway", "NOK", "548.00", "1870.00"),
    ZoneSample("EP", "Poland", "PLN", "214.00", "560.00"),
    ZoneSample("ES", "Sweden", "SEK", "655.00", "1500.00"),
    ZoneSample("EV", "Latvia", "EUR", "32.60", "110.00"),
    ZoneSample("EY", "Lithuania", "EUR", "45.90", "125.00"),
    ZoneSample("GC", "Spain, Canarias", "EUR", "45.20", "120.00"),
    ZoneSample("LA", "Albania", "EUR", "49.30", "130.00"),
    ZoneSample("LB", "Bulgaria", "EUR", "33.50", "115.00"),
    ZoneSample("LC", "Cyprus", "EUR", "33.90", "130.00"),
    ZoneSample("LD", "Croatia", "EUR", "45.60", "140.00"),
    ZoneSample("LE", "Spain, continental", "EUR", "54.71", "125.00", PUBLISHED),
    ZoneSample("LF", "France", "EUR", "73.69", "188.00", PUBLISHED),
    ZoneSample("LG", "Greece", "EUR", "25.54", "115.00", PUBLISHED),
    ZoneSample("LH", "Hungary", "EUR", "37.80", "150.00"),
    ZoneSample("LI", "Italy", "EUR", "72.37", "177.00", PUBLISHED),
    ZoneSample("LJ", "Slovenia", "EUR", "66.20", "165.00"),
    ZoneSample("LK", "Czechia", "CZK", "1195.00", "3950.00"),
    ZoneSample("LL", "Israel", "ILS", "118.00", "410.00"),
    ZoneSample("LM", "Malta", "EUR", "24.10", "110.00"),
    ZoneSample("LO", "Austria", "EUR", "66.91", "179.00", PUBLISHED),
    ZoneSample("LP", "Portugal, Lisboa", "EUR", "47.39", "135.00", PUBLISHED),
    ZoneSample("LQ", "Bosnia and Herzegovina", "EUR", "40.80", "125.00"),
    ZoneSample("LR", "Romania", "EUR", "37.40", "125.00"),
    ZoneSample("LS", "Switzerland", "CHF", "116.08", "310.00", CONVERTED),
    ZoneSample("LT", "Türkiye", "EUR", "27.70", "100.00"),
    ZoneSample("LU", "Moldova", "EUR", "61.00", "140.00"),
    ZoneSample("LW", "North Macedonia", "EUR", "52.90", "130.00"),
    ZoneSample("LY", "Serbia and Montenegro", "EUR", "38.60", "130.00"),
    ZoneSample("LZ", "Slovakia", "EUR", "59.70", "150.00"),
    ZoneSample("UD", "Armenia", "EUR", "36.20", "120.00"),
    ZoneSample("UG", "Georgia", "EUR", "26.80", "115.00"),
    ZoneSample("UK", "Ukraine", "EUR", "48.50", "120.00"),
)


class AerodromeSample(NamedTuple):
    icao: str
    name: str
    latitude: float
    longitude: float


AERODROMES = (
    AerodromeSample("EHAM", "Amsterdam Schiphol", 52.308601, 4.76389),
    AerodromeSample("LIRF", "Roma Fiumicino", 41.804501, 12.2508),
    AerodromeSample("LLBG", "Tel Aviv Ben Gurion", 32.011398, 34.8867),
)
