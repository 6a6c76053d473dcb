"""`sexton preview-mail`: a mail as it would arrive, of sample data, without a database or a mail server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from daemon import suite_mail_samples
from daemon.catalogue import Catalogue
from daemon.channels.channel import Message
from daemon.channels.mime import Letterhead, compose
from daemon.cli import output
from daemon.cli.common import BadUsage, CommandFailed, Invocation
from daemon.clock import utc_now
from daemon.letters import LetterError, Letters, template_folders
from daemon.mail_preview import READER, message_of, standing_alone
from daemon.mail_sample import MailSample
from daemon.naming import did_you_mean
from daemon.settings import Settings

OF_THE_ENGINE = "sexton"
SUFFIXES = (".html", ".txt", ".eml")
OUR_SITE = "https://mail.example.org"
OUR_SENDER = ("Sexton", "sexton@example.org")


@dataclass(frozen=True)
class Mails:
    """Every mail of the enabled suites and of the engine. `problems`: files of samples that cannot be read."""

    letters: Letters
    samples: Mapping[str, Mapping[str, MailSample]]
    settings: Mapping[str, object]
    problems: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, tuple[str, str]]:
        """`suite.template` → suite and template, the engine's as `sexton.…`."""
        return {
            f"{suite or OF_THE_ENGINE}.{template}": (suite, template)
            for suite in self.letters.folders for template in self.letters.mails(suite)
        }  # fmt: skip

    def found(self, name: str) -> str:
        """The whole name of a mail; the suite may be left out where only one has such a template. Raises `BadUsage`."""
        names = self.names
        if name in names:
            return name
        short = [whole for whole, (_, template) in names.items() if template == name]
        if len(short) == 1:
            return short[0]
        if short:
            raise BadUsage(f"{name!r} is a mail of several suites; choose {' or '.join(short)}")
        known = [*names, *(template for _, template in names.values())]
        raise BadUsage(f"there is no mail {name!r}{did_you_mean(name, known)}; sexton preview-mail lists them")

    def message(self, name: str) -> Message:
        """Raises `CommandFailed` where there is no sample, or template and sample make no mail."""
        suite, template = self.names[name]
        sample = self.samples.get(suite, {}).get(template)
        if sample is None:
            raise CommandFailed(f"{name}: {self._no_sample(suite, template)}")
        try:
            return message_of(self.letters, suite, sample, self.settings.get(suite))
        except LetterError as error:
            raise CommandFailed(f"{name}: {error}") from error

    def _no_sample(self, suite: str, template: str) -> str:
        place = self.letters.folders[suite].parent / f"{suite_mail_samples.FILE}.py"
        mine = [problem for problem in self.problems if f".{suite}." in f".{problem}"]
        return mine[0] if mine else f"it has no sample: write @mail_sample() def {template}(settings) in {place}"


def mails_of(catalogue: Catalogue, base_url: str = "") -> Mails:
    """Reads the suites' samples. Links to unsubscribe begin with `base_url`; without one with a site that is none."""
    base_url = base_url or OUR_SITE
    problems: list[str] = []
    samples = suite_mail_samples.read(catalogue.packages, problems)
    letters = Letters(template_folders(catalogue.packages), lambda _suite, _to, _channel: f"{base_url}/u/preview")
    return Mails(letters, samples, catalogue.settings, tuple(problems))


def preview_mail(invocation: Invocation, name: str | None, to: Path | None) -> int:
    """Write the mail `name` to a file whose suffix says as what; without a name, list all mails with their subjects."""
    if name is None and to is not None:
        raise BadUsage(f"--to {to}: which mail? sexton preview-mail lists them")
    if name is not None and to is None:
        raise BadUsage(f"{name}: write it where? --to mail.html, .txt or .eml")
    mails = mails_of(invocation.catalogue, invocation.settings.public.base_url)
    if name is None or to is None:
        return _list(mails)
    name = mails.found(name)
    if to.suffix.lower() not in SUFFIXES:
        raise BadUsage(f"--to {to}: the suffix says what is written; choose {', '.join(SUFFIXES)}")
    message = mails.message(name)
    to.write_bytes(_content(message, to.suffix.lower(), name, invocation.settings))
    print(f"{name}: {message.subject}\nwritten to {to}")
    return 0


def _list(mails: Mails) -> int:
    """Exit status 1 where one of them cannot be shown: standard error says why."""
    rows, failures = [], 0
    for name in mails.names:
        try:
            rows.append((name, mails.message(name).subject))
        except CommandFailed as failure:
            output.warn(str(failure))
            failures += 1
    output.table(("mail", "subject of its sample"), rows)
    return 1 if failures else 0


def _content(message: Message, suffix: str, name: str, settings: Settings) -> bytes:
    if suffix == ".txt":
        return message.text.encode("utf-8")
    if suffix == ".eml":
        return compose(message, READER, _letterhead(settings), utc_now())
    try:
        return standing_alone(message).encode("utf-8")
    except LetterError as error:
        raise CommandFailed(f"{name}: {error}; --to FILE.txt shows the text") from error


def _letterhead(settings: Settings) -> Letterhead:
    """As configured; with a sender that is nobody where none is."""
    email = settings.email
    try:
        return Letterhead(*email.mail_from, email.own_domain, email.reply_to)
    except ValueError:
        return Letterhead(*OUR_SENDER, OUR_SENDER[1].rpartition("@")[2], email.reply_to)
