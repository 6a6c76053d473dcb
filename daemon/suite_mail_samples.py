"""The samples of mails that suites declare: `mail_samples.py` of each, found when somebody wants to see a mail."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping

from daemon.letters import ENGINE
from daemon.mail_sample import MailSample

FILE = "mail_samples"


def read(packages: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, MailSample]]:
    """Suite → template → its sample, the engine's included; `packages` is suite → import name.

    A file that cannot be loaded goes to `problems`, a sentence each.
    """
    return {suite: _declared(package, problems) for suite, package in {ENGINE: "daemon", **packages}.items()}


def _declared(package: str, problems: list[str]) -> dict[str, MailSample]:
    name = f"{package}.{FILE}"
    try:
        if importlib.util.find_spec(name) is None:
            return {}
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a suite's module may raise anything; all of it is its author's to see
        problems.append(f"{name} cannot be loaded: {type(error).__name__}: {error}")
        return {}
    return {value.template: value for value in vars(module).values() if isinstance(value, MailSample)}
