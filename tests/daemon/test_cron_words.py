"""Schedules as people say them."""

import pytest

from daemon.schedule import Cron, Every, OnDemand, Schedule, describe


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Cron("0 0 * * *", "Asia/Kolkata"), "every day at 00:00 (Asia/Kolkata)"),
        (Cron("30 9,12,18 * * sat,sun"), "every Saturday and Sunday at 09:30, 12:30 and 18:30 (UTC)"),
        (Cron("0 9 * * 1-5"), "Monday to Friday at 09:00 (UTC)"),
        (Cron("0 0 1 * *"), "on day 1 of every month at 00:00 (UTC)"),
        (Cron("0 0 L * *"), "on the last day of every month at 00:00 (UTC)"),
        (Cron("0 0 1 jan *"), "every 1 January at 00:00 (UTC)"),
        (Cron("*/5 * * * *"), "every 5 minutes"),
        (Cron("15 */6 * * *"), "every 6 hours at :15"),
        (Cron("0 * * * *", "Asia/Kolkata"), "every hour (Asia/Kolkata)"),
        (Cron("* * * * sun"), "every minute, every Sunday (UTC)"),
        (Cron("*/25 9-17 * * *"), "*/25 9-17 * * * (UTC)"),
        (Cron("0 0 1 13 *"), "0 0 1 13 * (UTC)"),
        (Cron("nonsense"), "nonsense (UTC)"),
        (Every(300), "every 5 minutes"),
        (Every(3_600), "every hour"),
        (Every(90), "every 90 seconds"),
        (Every(0.5), "every 0.5 seconds"),
        (OnDemand(), "on demand"),
    ],
)
def test_a_schedule_is_described_in_words(schedule: Schedule, words: str) -> None:
    assert describe(schedule) == words
