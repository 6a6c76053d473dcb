"""What a suite fills its templates with where nobody is written to: `mail_samples.py`, a function for each mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.naming import did_you_mean
from daemon.outbox import KINDS

Data = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class MailSample:
    """`data(settings)` gives what the mail's sender would, of the suite's settings (None for the engine's own).

    `kind` is what the sender says to `tx.notify`: only some kinds have a link to unsubscribe. `keyed` names the fields
    whose own keys are data, such as currencies.
    """

    template: str
    kind: str
    data: Data
    keyed: tuple[str, ...] = ()


def mail_sample(kind: str = "transactional", *, keyed: Sequence[str] = ()) -> Callable[[Data], MailSample]:
    """Declares a function of the suite's settings to be the sample of the template that is called like it.

    Where a function of the sender makes the data, call that one: then there is nothing to keep alike. Raises
    `ValueError` for a kind that no message has.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: one of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")

    def declared(data: Data) -> MailSample:
        return MailSample(data.__name__, kind, data, tuple(keyed))

    return declared
