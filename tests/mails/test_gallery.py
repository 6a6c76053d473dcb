"""Every mail in Chromium, on a telephone and a desk, in light and dark; and the gallery of docs/mails/."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.daemon.admin.browser.visitor import CHROMIUM, a_browser
from tests.mails.gallery import GALLERY, MADE_BY, page_of_all, pictures_of
from tests.mails.looking import reading
from tests.mails.mails import Mail, every_mail

MOST_OCTETS = 3_000_000
SEEN = ("sticks out", "is not shown", "color-contrast", "image-alt", "is on [0", "uncaught", "loads http")
UNFIT = """<!doctype html><html lang="en"><head><style>.x { color: #222; width: 1700px }</style></head><body>
<table role="presentation" class="card" style="background: #000"><tr><td><h1>Heading</h1><p class="x">faint</p>
<img src="http://127.0.0.1:9/a.png"><img src="data:image/png;base64,AAAA" alt="broken"></td></tr></table>
<script>throw new Error("wrong")</script></body></html>"""


@pytest.mark.timeout(300)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium")
async def test_every_mail_is_fit_for_everybody_on_every_screen(tmp_path: Path) -> None:
    """One browser for all. That it would be seen is seen by a mail that has everything wrong."""
    async with a_browser() as browser, reading(browser, tmp_path) as reader:
        assert [trouble for mail in every_mail() for trouble in await reader.troubles_with(mail)] == []
        said = "\n".join(await reader.troubles_with(unfit()))
    assert [trouble for trouble in SEEN if trouble not in said] == []


def unfit() -> Mail:
    (some, *_) = every_mail()
    return Mail("unfit", replace(some.message, html=UNFIT, images=()))


def test_the_gallery_shows_the_mails_as_they_are() -> None:
    """What fails here wants `make gallery`, and a look at the pictures."""
    assert (GALLERY / "README.md").read_text(encoding="utf-8") == page_of_all(), MADE_BY


def test_the_gallery_has_four_pictures_of_each_mail_and_no_others_and_is_small() -> None:
    there = {path.name: path.stat().st_size for path in GALLERY.iterdir() if path.name != "README.md"}
    assert set(there) == {name for mail in every_mail() for name in pictures_of(mail).values()}, MADE_BY
    assert sum(there.values()) < MOST_OCTETS
    shown = re.findall(r'src="([^"]+)"', (GALLERY / "README.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(there)
