"""The gallery of docs/mails/: `make gallery`, with a browser of its own. A look at each picture is yours."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.daemon.admin.browser.visitor import a_browser
from tests.mails.looking import SCHEMES, WIDTHS, Reader, reading
from tests.mails.mails import Mail, every_mail

GALLERY = Path(__file__).parents[2] / "docs" / "mails"
MADE_BY = "make gallery"
SHOWN = {1440: 680, 360: 360}
"""Pixels of the page's middle that a picture keeps: at 1440 the rest is margin."""
HEAD = """# Mails

Every mail that the shipped suites and the engine send, with sample data: on a desk (1440 pixels wide, the margins cut
off) and on a telephone (360), in light and dark, and as text. `sexton preview-mail NAME --to FILE` shows one with your
own configuration. The `flights` suite sends none.

`make gallery` made this page. The tests hold it to the templates; they open each mail in Chromium at both widths, in
light and dark.
"""


def pictures_of(mail: Mail) -> dict[tuple[int, str], str]:
    """Width and scheme → the picture's file."""
    return {(width, scheme): f"{mail.name}-{width}-{scheme}.webp" for width in WIDTHS for scheme in SCHEMES}


def page_of_all() -> str:
    suites = itertools.groupby(every_mail(), lambda mail: mail.name.partition(".")[0])
    return HEAD + "".join(f"\n## {suite}\n" + "".join(map(_part_of, mails)) for suite, mails in suites)


def _part_of(mail: Mail) -> str:
    """The digest tells pictures of an earlier HTML from those of this one."""
    digest = hashlib.sha256((mail.message.html or "").encode()).hexdigest()[:16]
    shown = "\n".join(
        f'<img src="{file}" width="{340 if width > 360 else 180}" alt="{mail.name} at {width} pixels, {scheme}">'
        for (width, scheme), file in pictures_of(mail).items()
    )
    text = mail.message.text.strip("\n")
    return f"""
### {mail.name}

Subject: **{mail.message.subject}** ({mail.message.kind})
<!-- html {digest} -->

{shown}

<details><summary>As plain text</summary>

~~~text
{text}
~~~

</details>
"""


async def main() -> None:
    GALLERY.mkdir(exist_ok=True)
    wanted = {file for mail in every_mail() for file in pictures_of(mail).values()}
    for left_over in [path for path in GALLERY.glob("*.webp") if path.name not in wanted]:
        left_over.unlink()
    with tempfile.TemporaryDirectory(prefix="sexton-gallery-") as folder:
        async with a_browser() as browser, reading(browser, Path(folder)) as reader:
            for mail in every_mail():
                await take(reader, mail)
    (GALLERY / "README.md").write_text(page_of_all(), encoding="utf-8")
    sizes = [path.stat().st_size for path in GALLERY.iterdir()]
    print(f"{GALLERY}: {len(sizes)} files, {sum(sizes) // 1024} kB")


async def take(reader: Reader, mail: Mail) -> None:
    """The whole page at both widths, in light and dark."""
    await reader.opens(mail)
    for scheme, width in itertools.product(SCHEMES, WIDTHS):
        await reader.looks(width, scheme)
        with Image.open(BytesIO(await reader.page.screenshot(full_page=True))) as raw:
            margin = (raw.width - SHOWN[width]) // 2
            picture = raw.convert("RGB").crop((margin, 0, raw.width - margin, raw.height))
        picture.save(GALLERY / pictures_of(mail)[width, scheme], lossless=True, quality=80, method=4)


if __name__ == "__main__":
    asyncio.run(main())
