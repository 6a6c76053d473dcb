"""Messages from templates: `<template>.txt` and its like in `workers/<suite>/templates/`, or in `daemon/templates/`.

Templates are Jinja2 in a sandbox: HTML is escaped, a name that the data lacks is an error and not a blank.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.addresses import one_line
from daemon.channels.channel import InlineImage, Message
from daemon.channels.mime import CONTENT_ID
from daemon.drawings import Drawings

if TYPE_CHECKING:
    from css_inline import CSSInliner
    from jinja2 import Environment

    from daemon.outbox import OutboxRow, Recipient

TEMPLATE = re.compile(r"[a-z][a-z0-9_]*")
ENGINE = ""  # the suite of the engine's own messages
SHARED = Path(__file__).with_name("templates") / "shared"
PNG = b"\x89PNG\r\n\x1a\n"
NUMBER = re.compile(r"([+-]?)(\d+)(\.\d+)?")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks by which a text sets the direction of what follows it."""
JOINS = "\u200d\ufe0f"
LONGEST = 2_000_000
CAN_BE_REFUSED = frozenset({"promotional", "alert"})

UnsubscribeUrl = Callable[[str, str, str], str | None]
"""Suite, recipient (or address), channel → the link, None when there is no public listener."""


class LetterError(ValueError):
    """A message that its template and data do not make. Names the file, its line and what is wrong."""


def template_folders(packages: Mapping[str, str]) -> dict[str, Path]:
    """Suite → its folder of templates, the engine's included; `packages` is suite → import name."""
    folders = {ENGINE: Path(__file__).with_name("templates")}
    for suite, package in packages.items():
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folders.setdefault(suite, Path(place) / "templates")
    return folders


@dataclass(frozen=True)
class Letters:
    """Every template of a node, compiled when first used."""

    folders: Mapping[str, Path]
    unsubscribe_url: UnsubscribeUrl = lambda _suite, _recipient, _channel: None

    def missing(self, suite: str, template: str, channel: str) -> Path | None:
        """The file that has to be there for this channel and is not; None when all is well.

        E-mail needs `.subject.txt` and `.txt`, and may have `.html`; SMS and chat need `.sms.txt` or `.txt`.
        """
        asked = (suite, template, channel)
        if asked in self._there:
            return None
        missing = self._missing(suite, template, channel)
        if missing is None:
            self._there.add(asked)
        return missing

    def _missing(self, suite: str, template: str, channel: str) -> Path | None:
        folder = self.folders.get(suite, Path(suite) / "templates")
        wanted = [f"{template}.subject.txt", f"{template}.txt"] if channel == "email" else [f"{template}.txt"]
        if not TEMPLATE.fullmatch(template):
            return folder / wanted[-1]
        if channel != "email" and (folder / f"{template}.sms.txt").is_file():
            return None
        return next((folder / name for name in wanted if not (folder / name).is_file()), None)

    def mails(self, suite: str) -> list[str]:
        """The suite's templates that make an e-mail, by name."""
        found = self.folders[suite].glob("*.subject.txt")
        names = sorted(file.name.removesuffix(".subject.txt") for file in found)
        return [name for name in names if self.missing(suite, name, "email") is None]

    def rendered(self, row: OutboxRow, recipient: Recipient | None) -> Message:
        """The message of an outbox row. Raises `LetterError`.

        Templates see the row's data by name, and `unsubscribe_url` (None where nobody can unsubscribe). Pictures in
        `data["images"]`, {name: PNG in base64}, are inline images: `<img src="{{ images.name }}">`; `draw` makes more
        (`Drawings`). Rules of `<style>` in the HTML go into the elements they are for, as mail programs heed them
        there; `@media` stays.
        """
        address = (row.address if recipient is None else recipient.address(row.channel)) or ""
        url = None
        if row.kind in CAN_BE_REFUSED and (row.recipient or row.address):
            url = self.unsubscribe_url(row.suite, row.recipient or row.address or "", row.channel)
        images = _images(row.data)
        drawings = Drawings()
        named = {image.cid: f"cid:{image.cid}" for image in images}
        data = {**row.data, "unsubscribe_url": url, "images": named, "draw": drawings}
        subject, text, html = self._texts(row.suite, row.template, row.channel, data)
        return Message(
            id=row.id, dedupe_key=row.dedupe_key, kind=row.kind, address=address, subject=subject, text=text,
            html=html, images=images + drawings.images, unsubscribe_url=url,
        )  # fmt: skip

    def _texts(self, suite: str, template: str, channel: str, data: Mapping[str, Any]) -> tuple[str, str, str | None]:
        """Subject, text and HTML. Chat has a subject where there is a template of one; SMS has none."""
        missing = self.missing(suite, template, channel)
        if missing is not None:
            raise LetterError(f"there is no {missing}")
        subject = "" if channel == "sms" else one_line(self._text(suite, f"{template}.subject.txt", data) or "")
        if channel != "email":
            short = self._text(suite, f"{template}.sms.txt", data)
            return subject, short if short is not None else self._text(suite, f"{template}.txt", data) or "", None
        if not subject:
            raise LetterError(f"{self.folders[suite] / template}.subject.txt: it comes out empty")
        html = self._text(suite, f"{template}.html", data)
        if html is not None and "<style" in html:
            html = self._styles.inline(html)
        return subject, self._text(suite, f"{template}.txt", data) or "", html

    def _text(self, suite: str, name: str, data: Mapping[str, Any]) -> str | None:
        """What a file comes out as, None when there is no such file."""
        from jinja2 import TemplateNotFound

        environment = self._environments[suite]
        try:
            text = environment.get_template(name).render(data)
        except TemplateNotFound as error:
            if error.name == name:
                return None
            raise LetterError(f"{self.folders[suite] / name}: there is no template {error.name!r}") from error
        except Exception as error:
            raise LetterError(f"{self._place(error, suite, name)}: {type(error).__name__}: {error}") from error
        if len(text) > LONGEST:
            raise LetterError(f"{self.folders[suite] / name}: {len(text)} characters, more than {LONGEST}")
        return text

    @cached_property
    def _there(self) -> set[tuple[str, str, str]]:
        """Suite, template and channel of what was found complete. Like the texts, known until the next start."""
        return set()

    @cached_property
    def _environments(self) -> dict[str, Environment]:
        """One a suite, so that none reads another's; `sexton/…` is shared. Changes are read at the next start."""
        from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, select_autoescape
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        from daemon.breakable import breakable

        shared = PrefixLoader({"sexton": FileSystemLoader(SHARED)})
        environments: dict[str, Environment] = {
            suite: ImmutableSandboxedEnvironment(
                loader=ChoiceLoader([FileSystemLoader(folder), shared]), undefined=StrictUndefined, auto_reload=False,
                trim_blocks=True, lstrip_blocks=True,
                autoescape=select_autoescape(("html",), default=False, default_for_string=False),
            )
            for suite, folder in self.folders.items()
        }  # fmt: skip
        for environment in environments.values():
            environment.filters |= {"breakable": breakable, "grouped": grouped, "line": line}
        return environments

    @cached_property
    def _styles(self) -> CSSInliner:
        from css_inline import CSSInliner

        return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def _place(self, error: Exception, suite: str, name: str) -> str:
        """`file:line` of the template, which Jinja2 puts into the traceback, or into a syntax error."""
        folder = str(self.folders[suite])
        line = getattr(error, "lineno", None)
        file = getattr(error, "filename", None) or str(self.folders[suite] / name)
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename.startswith(folder):
                file, line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
            traceback = traceback.tb_next
        return f"{file}:{line}" if line else file


def grouped(number: object) -> str:
    """The filter `grouped`: a number's thousands set off by commas, 1234567.50 as 1,234,567.50; other text as it is.

    A float that is whole has no point; text keeps its places, as money has them.
    """
    whole = isinstance(number, float) and number.is_integer()
    found = NUMBER.fullmatch(f"{number:.0f}" if whole else str(number))
    return f"{found[1]}{int(found[2]):,}{found[3] or ''}" if found else str(number)


def line(text: object, most: int = 120) -> str:
    """The filter `line`: what somebody wrote as one line of at most so many characters; nothing is an empty one.

    What is left out is an ellipsis. The direction of what stands after it is not the text's to set.
    """
    whole = " ".join(TURNS.sub("", one_line("" if text is None else str(text))).split())
    return whole if len(whole) <= most else whole[: most - 1].rstrip(JOINS + " ") + "…"


def _images(data: Mapping[str, Any]) -> tuple[InlineImage, ...]:
    given = data.get("images") or {}
    if not isinstance(given, Mapping):
        raise LetterError('data["images"]: write {name: PNG in base64}')
    return tuple(_image(name, value) for name, value in given.items())


def _image(name: str, value: object) -> InlineImage:
    if not CONTENT_ID.fullmatch(name):
        raise LetterError(f'data["images"]: {name!r}: up to 64 letters, digits, dots, dashes and underscores')
    try:
        png = base64.b64decode(value if isinstance(value, str) else b"", validate=True)
    except (binascii.Error, ValueError):
        png = b""
    if not png.startswith(PNG):
        raise LetterError(f'data["images"][{name!r}]: no PNG in base64')
    return InlineImage(name, png)
