"""A suite like a real house's: 42 jobs on crons and periods, mostly not due while one watches."""

from __future__ import annotations

from pathlib import Path

NIGHTLY = [f'Cron("{minute} {hour} * * *", tz="{tz}")' for minute, hour, tz in (
    (0, 0, "Asia/Kolkata"), (30, 0, "Asia/Kolkata"), (15, 1, "UTC"), (0, 2, "Europe/Zurich"), (30, 2, "Europe/Zurich"),
    (45, 2, "UTC"), (0, 3, "America/New_York"), (20, 3, "UTC"), (40, 3, "UTC"), (0, 4, "Asia/Tokyo"), (5, 4, "UTC"),
    (0, 5, "UTC"), (30, 5, "Europe/London"), (0, 6, "Europe/London"), (0, 22, "UTC"), (30, 23, "UTC"),
)]  # fmt: skip
WEEKLY = [f'Cron("{minute} {hour} * * {day}", tz="UTC")' for minute, hour, day in (
    (0, 7, "mon"), (0, 8, "mon-fri"), (30, 8, "fri"), (0, 9, "sat"), (0, 18, "sun"), (45, 21, "wed"),
)]  # fmt: skip
MONTHLY = [f'Cron("{minute} {hour} {day} * *", tz="UTC")' for minute, hour, day in (
    (0, 1, 1), (0, 2, 1), (0, 6, 2), (0, 9, 15), (0, 4, 28),
)]  # fmt: skip
HOURLY = [f'Cron("{minute} * * * *", tz="UTC")' for minute in (3, 17, 29, 41, 53)]
PERIODS = [f"Every({period})" for period in (900, 900, 1800, 1800, 3600, 3600, 7200, 10800, 21600, 43200)]
SCHEDULES = [*NIGHTLY, *WEEKLY, *MONTHLY, *HOURLY, *PERIODS]

JOB = '''"""Do the {name}."""

from daemon import Context, Cron, Every, job

@job({schedule})
async def {name}(ctx: Context) -> None:
    """Do the {name}."""
    async with ctx.completing() as tx:
        tx.result({{"done": True}})
'''


def build(folder: Path) -> str:
    """Write the package `house` into a folder that goes on the import path; returns its name."""
    package = folder / "house"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""A house."""\n')
    for n, schedule in enumerate(SCHEDULES):
        name = f"chore_{n:02}"
        (package / f"{name}.py").write_text(JOB.format(name=name, schedule=schedule))
    return "house"
