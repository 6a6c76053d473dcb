"""What the supervisor may import, checked in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["flight_ingestion", "consolidated_invoice", "invoice_overdue", "seed", "report"])
def test_what_the_supervisor_imports_brings_no_geometry(module: str) -> None:
    code = f"import sys, workers.flights.{module}; print([m for m in ('shapely', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_jobs_are_named_by_their_path() -> None:
    from workers.flights.consolidated_invoice import consolidated_invoice
    from workers.flights.flight_ingestion import QUEUE, flight_ingestion
    from workers.flights.invoice_overdue import invoice_overdue

    assert [j.name for j in (consolidated_invoice, flight_ingestion, invoice_overdue)] == [
        "flights.consolidated_invoice", "flights.flight_ingestion", "flights.invoice_overdue",
    ]  # fmt: skip
    assert consolidated_invoice.business_day_offset == 1
    assert QUEUE.name == "flights.flight_processing_queue"
