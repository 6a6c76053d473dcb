"""PURE: one sentence for each kind of event, its level, and the area it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from daemon import events as e


@dataclass(frozen=True, slots=True)
class Said:
    level: str
    area: str
    text: str
    fields: dict[str, Any] = field(default_factory=dict)


def words(event: e.Event) -> Said | None:
    """What to say of an event; None for what is not worth a line."""
    return (
        _of_runs(event)
        or _of_queues(event)
        or _of_messages(event)
        or _of_database(event)
        or _of_node(event)
        or _of_trouble(event)
        or _of_workers(event)
    )


def _of_runs(event: e.Event) -> Said | None:
    match event:
        case e.RunStarted(run, job, due_at, lateness, attempt):
            fields = {
                "run": run,
                "due_at": due_at.isoformat(),
                "lateness_s": round(lateness, 3),
                "attempt": attempt,
            }
            return Said("debug", "SCHEDULED", f"{job} started", fields)
        case e.RunEnded():
            return _of_an_end(event)
        case e.RunForsaken(run, job, seconds, stack):
            text = f"{job} does not end though it was told to: it runs on, and its end is recorded without it"
            return Said("error", "SCHEDULED", text, {"run": run, "seconds": round(seconds, 1), "stack": stack})
        case e.RunGivenUp(run, job, reason):
            return Said("error", "SCHEDULED", f"{job} failed: {reason}", {"run": run})
        case e.InstantsSettled(job, state, count, due_at, reason):
            level = "warning" if state in ("missed", "held") else "info"
            many = f"{count} instants" if count > 1 else "instant"
            return Said(level, "SCHEDULED", f"{job}: {many} {state}: {reason}", {"due_at": due_at.isoformat()})
    return None


def _of_an_end(end: e.RunEnded) -> Said:
    fields: dict[str, Any] = {"run": end.run, "seconds": round(end.seconds, 3)}
    if end.error:
        fields["error"] = end.error
    if end.retry_in is not None and end.outcome == "retrying":
        fields["retry_in_s"] = round(end.retry_in, 1)
    if end.traceback:
        fields["traceback"] = end.traceback
    level = {"succeeded": "info", "retrying": "warning", "failed": "error", "timed out": "error"}
    return Said(level.get(end.outcome, "warning"), "SCHEDULED", f"{end.job} {end.outcome}", fields)


def _of_queues(event: e.Event) -> Said | None:
    match event:
        case e.ItemsFinished(queue, done, failed, dead, postponed):
            counts = {"done": done, "failed": failed, "dead": dead, "postponed": postponed}
            level = "info" if failed or dead else "debug"  # several a second while all is well: the run's end sums up
            return Said(level, "INGESTION", f"{queue}: saved {done}", {k: v for k, v in counts.items() if v})
        case e.ItemDied(queue, key, error):
            return Said("error", "INGESTION", f"{queue}: item {key} is dead: {error}", {"key": key})
        case e.Rescued(node, runs, items, messages):
            counts = {"runs": runs, "items": items} | ({"messages": messages} if messages else {})
            return Said("warning", "SCHEDULED", f"rescued from {node}", counts)
    return None


def _of_messages(event: e.Event) -> Said | None:
    match event:
        case e.MessagesSettled(channel, state, count):  # several a second while all is well
            return Said("debug", "DELIVERY", f"{channel}: {count} {state}")
        case e.MessageGivenUp(message, channel, suite, template, state, error):
            fields = {"message": message, "suite": suite, "error": error}
            verb = "may have arrived, and is not sent again" if state == "unknown" else "could not be sent"
            return Said("warning", "DELIVERY", f"{channel}: {template} {verb}: {error}", fields)
        case e.ChannelDown(channel, error, probe_in):
            fields = {"probe_in_s": round(probe_in, 1)}
            return Said("error", "DELIVERY", f"{channel} is away: {error}; messages wait, and it is probed", fields)
        case e.ChannelBack(channel, seconds):
            return Said("info", "DELIVERY", f"{channel} is back", {"away_s": round(seconds, 1)})
        case e.ChannelDisabled(channel, error):
            text = f"{channel} is disabled: {error}; put [{channel}] right and restart: its messages wait"
            return Said("error", "DELIVERY", text)
    return None


def _of_database(event: e.Event) -> Said | None:
    match event:
        case e.DatabaseLost(error):
            return Said("error", "DATABASE", f"lost: {error}; running on, and asking until it answers")
        case e.DatabaseBack(seconds):
            return Said("info", "DATABASE", "back", {"away_s": round(seconds, 1)})
        case e.Migrated(names):
            return Said("info", "DATABASE", f"schema migrated: {', '.join(names)}")
        case e.BackupMade(name, size, verified):
            how = "made and verified" if verified else "made, and not verified"
            return Said("info", "DATABASE", f"backup {name} {how}", {"bytes": size})
        case e.BackupFailed(error):
            return Said("error", "DATABASE", f"backup failed: {error}")
        case e.ListenLost(reason):
            return Said("warning", "DATABASE", f"LISTEN connection lost, polling meanwhile: {reason}")
    return None


def _of_node(event: e.Event) -> Said | None:
    match event:
        case e.Started(version, node, jobs, seconds):
            fields = {"version": version, "jobs": jobs, "start_s": round(seconds, 3)}
            return Said("info", "SCHEDULED", f"{node} is ready", fields)
        case e.Draining(signal, running):
            return Said("info", "SCHEDULED", f"{signal}: draining", {"running": running})
        case e.Stopped(seconds):
            return Said("info", "SCHEDULED", "stopped", {"stop_s": round(seconds, 3)})
        case e.Reloaded(changed):
            return Said("info", "SCHEDULED", f"reloaded: {', '.join(changed) or 'nothing changed'}")
        case e.ReloadRefused(problems):
            return Said("error", "SCHEDULED", f"reload refused, the old settings stay: {'; '.join(problems)}")
    return None


def _of_trouble(event: e.Event) -> Said | None:
    match event:
        case e.LeaseLost(reason):
            return Said("error", "SCHEDULED", f"this node's lease is lost: {reason}; its work was stopped")
        case e.ClockStepped(seconds):
            return Said("warning", "SCHEDULED", f"the database's clock stepped by {seconds:+.1f} s")
        case e.ClockBehind(seconds):
            return Said("warning", "SCHEDULED", f"the clock was set back: cron waits {seconds:.0f} s for it")
        case e.LoopLagged(seconds, stack, run):
            return Said("error", "SCHEDULED", f"event loop blocked for {seconds:.1f} s", {"run": run, "stack": stack})
        case e.ServiceFailed(service, error, traceback, retry_in):
            fields = {"retry_in_s": retry_in, "traceback": traceback}
            return Said("error", "SCHEDULED", f"{service} failed: {error}", fields)
        case e.Note(area, text, warning):
            return Said("warning" if warning else "info", area, text)
    return None


def _of_workers(event: e.Event) -> Said | None:
    match event:
        case e.WorkerExited(pid, reason, task):
            return Said("warning", "INGESTION", f"worker {pid}: {reason}", {"task": task} if task else {})
        case e.WorkerSaid(pid, task, line):
            return Said("warning", "INGESTION", f"worker {pid}: {line}", {"task": task} if task else {})
    return None
