"""Sample operators and aircraft: terms and weights are made up, the same every time, for real callsigns.

The tracks carry no registrations and no weights, so a weight here says nothing about the real aircraft.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from zlib import crc32

CONTRACT_START = date(2018, 1, 1)
PRIVATE = "GA"


class Operator(NamedTuple):
    """A customer; `week_end` is the ISO weekday its week ends on, None for a monthly one."""

    code: str
    name: str
    tz: str
    currency: str
    week_end: int | None
    tax_rate: str = "0"
    min_invoice_amount: str = "0"


AIRLINES = {
    o.code: o
    for o in (
        Operator("RYR", "Ryanair", "Europe/Dublin", "EUR", 7),
        Operator("EZY", "easyJet", "Europe/London", "GBP", 1),
        Operator("DLH", "Lufthansa", "Europe/Berlin", "EUR", None, "0.19"),
        Operator("AFR", "Air France", "Europe/Paris", "EUR", None),
        Operator("EWG", "Eurowings", "Europe/Berlin", "EUR", 5, "0.19"),
        Operator("BAW", "British Airways", "Europe/London", "GBP", None),
        Operator("IBK", "Norwegian Air International", "Europe/Dublin", "EUR", 3),
        Operator("BEL", "Brussels Airlines", "Europe/Brussels", "EUR", None),
        Operator("LDM", "Laudamotion", "Europe/Vienna", "EUR", 4),
        Operator("CFG", "Condor", "Europe/Berlin", "EUR", 2, "0.19"),
        Operator("VLG", "Vueling", "Europe/Madrid", "EUR", 7),
        Operator("TVF", "Transavia France", "Europe/Paris", "EUR", 1),
        Operator("TRA", "Transavia", "Europe/Amsterdam", "EUR", 1),
        Operator("TCX", "Thomas Cook Airlines", "Europe/London", "GBP", 6),
        Operator("NAX", "Norwegian Air Shuttle", "Europe/Oslo", "NOK", None),
        Operator("THY", "Turkish Airlines", "Europe/Istanbul", "EUR", None),
        Operator("EXS", "Jet2", "Europe/London", "GBP", 7),
        Operator("KLM", "KLM", "Europe/Amsterdam", "EUR", None),
        Operator("TAR", "Tunisair", "Africa/Tunis", "EUR", None),
        Operator("SAS", "Scandinavian Airlines", "Europe/Stockholm", "SEK", None),
        Operator("IBE", "Iberia", "Europe/Madrid", "EUR", None),
        Operator("TAP", "TAP Air Portugal", "Europe/Lisbon", "EUR", None),
        Operator("AEE", "Aegean Airlines", "Europe/Athens", "EUR", 5),
        Operator("AZA", "Alitalia", "Europe/Rome", "EUR", None),
        Operator("ELY", "El Al", "Asia/Jerusalem", "USD", None),
        Operator("AFL", "Aeroflot", "Europe/Moscow", "EUR", None),
        Operator("UAE", "Emirates", "Asia/Dubai", "USD", None),
        Operator("SVA", "Saudia", "Asia/Riyadh", "USD", None),
        Operator("MSR", "Egyptair", "Africa/Cairo", "EUR", None),
        Operator(PRIVATE, "General aviation", "UTC", "EUR", None),
    )
}


class AircraftSample(NamedTuple):
    """A type designator and a highest certificated take-off weight in tonnes."""

    type: str
    mtow_t: str


B738 = AircraftSample("B738", "79.016")
B77W = AircraftSample("B77W", "351.534")
KNOWN = {"738043": AircraftSample("B744", "396.900"), "484506": B738}
SHORT_HAUL = (
    AircraftSample("A319", "75.500"),
    AircraftSample("A320", "78.000"),
    AircraftSample("A321", "93.500"),
    AircraftSample("E190", "51.800"),
    B738,
)
PRIVATE_JETS = (
    AircraftSample("GLF5", "41.277"),
    AircraftSample("C68A", "13.959"),
    AircraftSample("E55P", "8.150"),
    AircraftSample("C25A", "5.670"),
)
OF_OPERATOR = {
    "RYR": (B738,), "TRA": (B738,), "TVF": (B738,), "EXS": (B738,), "UAE": (B77W,), "SVA": (B77W,),
    "EZY": SHORT_HAUL[:2], PRIVATE: PRIVATE_JETS,
}  # fmt: skip


def operator_code(callsign: str) -> str:
    """The airline's designator: three letters before a flight number. Anything else is a registration."""
    airline = len(callsign) > 3 and callsign[:3].isalpha() and callsign[3].isdigit()
    return callsign[:3] if airline else PRIVATE


def operator(code: str) -> Operator:
    """The known airline, or one made up from its designator: half of them weekly, all with a minimum."""
    if code in AIRLINES:
        return AIRLINES[code]
    chance = crc32(code.encode())
    week_end = chance // 2 % 7 + 1 if chance % 2 else None
    return Operator(code, f"Operator {code}", "UTC", "EUR", week_end, "0", "50.00")


def aircraft(icao24: str, operator_code: str) -> AircraftSample:
    choice = OF_OPERATOR.get(operator_code, SHORT_HAUL)
    return KNOWN.get(icao24) or choice[crc32(icao24.encode()) % len(choice)]
