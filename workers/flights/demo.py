"""What `sexton demo` shows of this suite: real flights rated, then the invoices of their week and month."""

from datetime import UTC, datetime, timedelta

from daemon import sql

PROGRESS, BILLED, INVOICED = sql.load(__file__, "progress", "billed", "invoiced")

WORKING = "flights rated"
CLOSING = "billing periods closed"

# The Swiss sample is of 1 August 2018: every weekly period that holds it ends by the 7th, the month on the 31st.
WEEKS = [datetime(2018, 8, 2, 1, tzinfo=UTC) + timedelta(days=n) for n in range(7)]
MONTH = datetime(2018, 9, 1, 1, tzinfo=UTC)
AFTERWARDS = [("flights.consolidated_invoice", due_at) for due_at in (*WEEKS, MONTH)]
SUMMARY = {"Charges by currency": BILLED, "Invoices, the largest first": INVOICED}
