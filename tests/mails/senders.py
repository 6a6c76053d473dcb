"""What really went to the outbox against the samples of a suite."""

from __future__ import annotations

import json

import asyncpg

from daemon import suite_mail_samples
from daemon.letters import Letters, template_folders
from daemon.mail_fields import differences
from daemon.mail_preview import data_of
from daemon.mail_sample import MailSample

NEVER = "never sent: let the test send it"


async def unlike_samples(connection: asyncpg.Connection, suite: str, settings: object) -> dict[str, list[str]]:
    """Of each mail of the suite that differs from its sample, how; what nobody has sent differs too."""
    packages = {suite: f"workers.{suite}"} if suite else {}
    problems: list[str] = []
    samples = suite_mail_samples.read(packages, problems)[suite]
    assert problems == []
    names = {*Letters(template_folders(packages)).mails(suite), *samples}
    found = {name: await _unlike(connection, suite, samples[name], settings) for name in sorted(names)}
    return {name: sentences for name, sentences in found.items() if sentences}


async def _unlike(connection: asyncpg.Connection, suite: str, sample: MailSample, settings: object) -> list[str]:
    rows = await connection.fetch(
        "SELECT DISTINCT kind, data::text AS data FROM sexton.outbox WHERE suite = $1 AND template = $2",
        suite, sample.template,
    )  # fmt: skip
    if not rows:
        return [NEVER]
    given = data_of(sample, settings)
    sentences = {s for row in rows for s in differences(given, json.loads(row["data"]), sample.keyed)}
    kinds = {row["kind"] for row in rows}
    return sorted(sentences | ({f"kind: {sorted(kinds)}, not {sample.kind}"} if kinds != {sample.kind} else set()))
