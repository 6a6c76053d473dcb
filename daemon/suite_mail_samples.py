"""The samples of mails that suites declare: `mail_samples.py` of each, found when somebody wants to see a mail."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.letters import ENGINE
from daemon.mail_sample import MailSample
from daemon.suite_module import declared

FILE = "mail_samples"


def read(packages: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, MailSample]]:
    """Suite → template → its sample, the engine's included; `packages` is suite → import name.

    A file that cannot be loaded goes to `problems`, a sentence each.
    """
    return {
        suite: {sample.template: sample for sample in declared(package, FILE, MailSample, problems).values()}
        for suite, package in {ENGINE: "daemon", **packages}.items()
    }
