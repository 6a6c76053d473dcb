"""The matrix in docs/suites/jewellery.md is the one that the rules make. Written anew by running this file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from workers.jewellery.payment_rules import (
    GIVE_UP_AFTER,
    UNKNOWN_AFTER,
    Effect,
    Local,
    Ruling,
    Seen,
    Status,
    transition,
)

DOCUMENT = Path("docs/suites/jewellery.md")
BEGIN, END = "<!-- matrix: begins -->\n", "<!-- matrix: ends -->\n"
LOCAL = Local(Status.PENDING, 100, "INR", "pay_1", "PLACED", age=timedelta(hours=1))
SEEN = Seen("pay_1", "order_1", "captured", 100, "INR")
NEWS: dict[str, tuple[dict[str, object], Seen | Ruling | None]] = {
    "nothing, for under 24 h": ({}, None),
    "nothing, for 24 h": ({"age": UNKNOWN_AFTER}, None),
    "created": ({}, replace(SEEN, status="created")),
    "created, for 5 days": ({"age": GIVE_UP_AFTER}, replace(SEEN, status="created")),
    "authorized": ({}, replace(SEEN, status="authorized")),
    "authorized, for 48 h": ({"age": timedelta(hours=48)}, replace(SEEN, status="authorized")),
    "authorized, for 5 days": ({"age": GIVE_UP_AFTER}, replace(SEEN, status="authorized")),
    "captured": ({}, SEEN),
    "captured, order further on": ({"order_status": "PROCESSING"}, SEEN),
    "captured, another amount": ({"minor": 99}, SEEN),
    "captured, another currency": ({"currency": "JPY"}, SEEN),
    "captured, order cancelled": ({"order_status": "CANCELLED"}, SEEN),
    "captured, order paid by another": ({"paid_by_another": True}, SEEN),
    "captured, another attempt": ({}, replace(SEEN, attempt="pay_2")),
    "captured, part given back": ({}, replace(SEEN, refunded=40)),
    "failed": ({}, replace(SEEN, status="failed")),
    "failed, another attempt": ({}, replace(SEEN, attempt="pay_2", status="failed")),
    "refunded": ({}, replace(SEEN, status="refunded", refunded=100)),
    "*a person: accept*": ({}, Ruling.ACCEPT),
    "*accept, order further on*": ({"order_status": "PROCESSING"}, Ruling.ACCEPT),
    "*accept, order cancelled*": ({"order_status": "CANCELLED"}, Ruling.ACCEPT),
    "*accept, order paid by another*": ({"paid_by_another": True}, Ruling.ACCEPT),
    "*a person: refunded*": ({}, Ruling.REFUNDED),
}
SIGNS = {
    Effect.CONFIRM: "c", Effect.RELEASE: "r", Effect.TELL_CUSTOMER: "t", Effect.CALL_PERSON: "p", Effect.WARN: "w",
    Effect.MAY_CAPTURE: "m", Effect.SECOND: "s",
}  # fmt: skip


def cell(status: Status, changes: dict[str, object], seen: Seen | Ruling | None) -> str:
    decision = transition(replace(LOCAL, status=status, **changes), seen)  # type: ignore[arg-type]
    word = "·" if decision.status is status else str(decision.status)
    signs = " ".join(sign for effect, sign in SIGNS.items() if effect in decision.effects)
    return f"{word} ({signs})" if signs else word


def matrix() -> str:
    rows = [("the provider says", *map(str, Status)), ("---",) * (len(Status) + 1)]
    rows += [(news, *(cell(status, *given) for status in Status)) for news, given in NEWS.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_the_documented_matrix_is_what_the_rules_make() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == matrix()


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + matrix() + END + rest.partition(END)[2], encoding="utf-8")
