"""The usage report as the engine makes it: hostile names are text, unknown figures are words, nothing is left blank."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.letters import LetterError
from tests.workers.suite_under_test import letter

HOSTILE = '<script>alert("1")</script> 🧨'
USE = {
    "provider": HOSTILE, "requests": 3, "share_pct": None, "errors": 0, "error_pct": None, "input_tokens": 1,
    "output_tokens": 2, "p50_ms": None, "p95_ms": None, "cost": None,
}  # fmt: skip
REPORT = {
    "day": "2026-11-24",
    "total": {
        "requests": 3, "errors": 0, "error_pct": "0.0", "input_tokens": 1, "output_tokens": 2, "cost": "0.0000",
        "cost_is_complete": False,
    },
    "providers": [USE],
    "anomalies": [
        {"provider": HOSTILE, "metric": "requests", "value": 3.0, "baseline": 90.0, "score": None, "direction": "low"}
    ],
    "recommendations": [{"code": "unpriced", "provider": HOSTILE, "text": f"{HOSTILE} has no price."}],
}  # fmt: skip


def made(**data: Any) -> tuple[str, str, str | None]:
    return letter("tutoring", "usage_report", data)


def test_hostile_names_are_text_and_what_is_unknown_is_said() -> None:
    subject, text, html = made(report=REPORT, charts=[])
    assert subject == "AI usage of 2026-11-24: 3 requests, 1 unusual"
    assert html is not None
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3
    assert "🧨" in html
    assert text.splitlines() == [
        "AI usage of 2026-11-24", "",
        "Requests 3, failed 0 (0.0 %)", "Tokens   1 in, 2 out",
        "Cost     0.0000, and more: a provider has no price", "",
        HOSTILE, "  Requests 3, failed 0", "  Tokens   1 in, 2 out", "  Latency  unknown", "  Cost     unknown", "",
        "Unusual", f"  requests of {HOSTILE}: 3, usually 90 (low)", "",
        "Recommended", f"  {HOSTILE} has no price.",
    ]  # fmt: skip


def test_a_report_without_its_figures_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(LetterError):
        made(report={}, charts=[])
