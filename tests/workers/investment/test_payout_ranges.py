"""How a day is cut into transactions, and what comes last in each."""

from __future__ import annotations

from datetime import date

import pytest

from daemon import sql
from tests.workers.investment.payouts import Payouts
from workers.investment import daily_roi_distribution

(STOPS,) = sql.load(daily_roi_distribution.__file__, "stops")
SINCE, UNTIL = date(2026, 3, 1), date(2026, 12, 31)
NOTE_WHAT_IS_WRITTEN = """
CREATE TABLE public.written (nth bigint GENERATED ALWAYS AS IDENTITY, what text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.written (what) VALUES (TG_TABLE_NAME);
    RETURN NEW;
END $$;
"""


@pytest.mark.parametrize(
    ("ids", "after", "at_most", "stops"),
    [
        ([], 0, 3, []),
        ([1, 2, 3], 0, 3, [3]),
        ([1, 2, 3, 4], 0, 3, [2, 4]),
        ([1, 2, 3, 4, 5, 6, 7], 0, 3, [3, 5, 7]),
        ([10, 20, 4000, 5000, 5001], 10, 2, [4000, 5001]),
        ([1, 2], 2, 3, []),
    ],
)
async def test_ranges_cover_everybody_and_none_is_much_smaller(
    payouts: Payouts, ids: list[int], after: int, at_most: int, stops: list[int]
) -> None:
    for id_ in ids:
        await payouts.invest(id_, 1, "1000.00", on=SINCE, until=UNTIL)
    await payouts.connection.execute("SET search_path = investment")
    assert await payouts.connection.fetchval(STOPS.text, after, at_most) == stops


async def test_wallets_are_the_last_that_a_range_locks_since_others_wait_for_them(payouts: Payouts) -> None:
    for id_ in range(1, 5):
        await payouts.invest(id_, 1, "1000.00", on=SINCE, until=UNTIL)
    await payouts.connection.execute(NOTE_WHAT_IS_WRITTEN)
    for table in ("roi_distribution", "commission", "ledger", "wallet"):
        await payouts.connection.execute(
            f"CREATE TRIGGER note BEFORE INSERT OR UPDATE ON investment.{table} "
            "FOR EACH ROW EXECUTE FUNCTION public.note()"
        )
    run = await payouts.pay(range_size=10)
    assert run.error is None
    found = [what for (what,) in await payouts.rows("SELECT what FROM public.written ORDER BY nth")]
    assert {"roi_distribution", "commission", "ledger"} == {what for what in found if what != "wallet"}
    assert set(found[found.index("wallet") :]) == {"wallet"}
