"""Every mail of every suite and of the engine, made of its sample."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html.parser import HTMLParser

from daemon import catalogue
from daemon.channels.channel import Message
from daemon.cli.preview_mail import Mails, mails_of
from daemon.mail_preview import standing_alone
from daemon.settings import Settings
from tests.conftest import SUITES

PAGES = "https://app.example.org"
UNSUBSCRIBE = "https://mail.example.org/u/"
SETTINGS = Settings(suites=tuple(SUITES.values()), suite={"productivity": {"frontend_url": PAGES}})


class Html(HTMLParser):
    """What a mail's HTML links to, the words for its pictures, and what a list of mails shows of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.alts: list[str | None] = []
        self.preview = ""
        self._in_preview = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "img":
            self.alts.append(given.get("alt"))
        self._in_preview = self._in_preview or given.get("class") == "preview"

    def handle_endtag(self, tag: str) -> None:
        self._in_preview = self._in_preview and tag != "div"

    def handle_data(self, data: str) -> None:
        if self._in_preview:
            self.preview = re.sub(r"\s+", " ", self.preview + data).strip()


@dataclass(frozen=True)
class Mail:
    """`name` is that of `sexton preview-mail`."""

    name: str
    message: Message

    @cached_property
    def html(self) -> Html:
        assert self.message.html is not None, f"{self.name} has no HTML"
        return Html(self.message.html)

    @property
    def page(self) -> str:
        return standing_alone(self.message)


@lru_cache(maxsize=1)
def every_mail() -> tuple[Mail, ...]:
    mails: Mails = mails_of(catalogue.load(SETTINGS))
    assert mails.problems == ()
    return tuple(Mail(name, mails.message(name)) for name in mails.names)
