"""The jobs as they are in force on this node at this moment: the catalogue under an administrator's overrides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from daemon import overlay
from daemon.catalogue import Catalogue
from daemon.catchup import Gap
from daemon.events import Event, Note
from daemon.job import Job, OnEvent, Overlap, Poll
from daemon.ledger import KnownJob
from daemon.schedule import OnDemand, Schedule, fingerprint, parse_fingerprint

DISABLED = "disabled"


@dataclass
class Roster:
    """`jobs` by name, overrides applied; `paused` says by whom, `stopped` why nothing at all may begin, `gap` up to
    when a restored database does not know what was done. Replaced entries, never mutated ones.
    """

    catalogue: Catalogue
    emit: Callable[[Event], None]
    enabled: bool = True
    jobs: dict[str, Job] = field(default_factory=dict)
    paused: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    gap: Gap | None = None

    def __post_init__(self) -> None:
        self.jobs = dict(self.catalogue.jobs)

    def learn(self, known: KnownJob) -> Job:
        """Take in a job's row and return the job as it is now in force."""
        job = self.catalogue.jobs[known.name]
        if known.overrides:
            try:
                job = overlay.laid_over(job, overlay.typed(known.overrides))
            except ValueError as error:
                self.emit(Note("SCHEDULED", f"{known.name}: its override is ignored: {error}", warning=True))
        self.jobs[known.name] = job
        if known.paused_by:
            self.paused[known.name] = known.paused_by
        else:
            self.paused.pop(known.name, None)
        return job

    def adopt(self, catalogue: Catalogue) -> None:
        """A reload: the new catalogue takes effect; overrides are laid over it as rows are read again."""
        self.catalogue = catalogue
        self.jobs = dict(catalogue.jobs)

    @property
    def polls(self) -> list[Job]:
        return [job for job in self.jobs.values() if isinstance(job.trigger, Poll)]

    def polls_of(self, queue: str) -> list[Job]:
        """Those that new items of this queue wake."""
        return [job for job in self.polls if isinstance(job.trigger, Poll) and job.trigger.wake == queue]

    @property
    def handlers(self) -> list[Job]:
        """Those that may have events just now; what happens meanwhile waits for a job that is paused or disabled."""
        handlers = (job for job in self.jobs.values() if isinstance(job.trigger, OnEvent))
        return [job for job in handlers if job.enabled and job.name not in self.paused]

    @property
    def claimable(self) -> list[Job]:
        """Polls too: a person may ask for one to be run now."""
        return list(self.jobs.values())


def fingerprint_of(job: Job) -> str:
    """What the database keeps of a schedule. A disabled job has one too, so that enabling it invents no past."""
    if not job.enabled:
        return DISABLED
    if isinstance(job.trigger, Poll):
        return f"poll {job.trigger.every.total_seconds():g}"
    if isinstance(job.trigger, OnEvent):
        return f"event {job.trigger.kind}"
    return fingerprint(job.trigger)


@lru_cache(maxsize=10_000)
def stored_schedule(text: str) -> Schedule:
    """The schedule the database keeps, which may be an older version's."""
    if text == DISABLED or text.startswith(("poll ", "event ")):
        return OnDemand()
    return parse_fingerprint(text)


def coalesces(job: Job) -> bool:
    return job.catch_up.kind == "latest" and job.overlap is not Overlap.ALLOW
