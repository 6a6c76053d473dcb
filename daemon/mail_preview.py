"""A mail made of its sample: the message that the delivery would send, and the HTML as a browser shows it. No I/O."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from daemon.channels.channel import Message
from daemon.jsonable import to_json
from daemon.letters import LetterError, Letters
from daemon.mail_sample import MailSample
from daemon.outbox import OutboxRow

READER = "reader@example.org"
CHARSET_FIRST = '<head><meta charset="utf-8">'
"""A browser that opens a file looks for it among the first 1024 octets; mail programs read it in the MIME header."""
INLINE = re.compile(r'(?<=src=")cid:([A-Za-z0-9._-]+)(?=")')


def data_of(sample: MailSample, settings: object) -> dict[str, Any]:
    """The sample as the outbox would keep it. Raises `LetterError` for what its function raises or JSON cannot hold."""
    try:
        data: dict[str, Any] = json.loads(to_json(sample.data(settings)))
    except Exception as error:
        function = sample.data.__code__ if hasattr(sample.data, "__code__") else None
        place = f"{function.co_filename}: " if function else ""
        raise LetterError(f"{place}{sample.template}: {type(error).__name__}: {error}") from error
    return data


def message_of(letters: Letters, suite: str, sample: MailSample, settings: object) -> Message:
    """The message, to a reader who is nobody. Raises `LetterError`."""
    row = OutboxRow(
        id=0, token=0, suite=suite, recipient=None, address=READER, channel="email", template=sample.template,
        data=data_of(sample, settings), kind=sample.kind, dedupe_key=f"preview:{suite}.{sample.template}",
    )  # fmt: skip
    return letters.rendered(row, None)


def standing_alone(message: Message) -> str:
    """The HTML with its pictures in it, as `data:` URLs. Raises `LetterError` without HTML or for a picture that the
    message does not carry."""
    if message.html is None:
        raise LetterError("there is no HTML in it")
    pictures: Mapping[str, bytes] = {image.cid: image.png for image in message.images}

    def inlined(found: re.Match[str]) -> str:
        if found[1] not in pictures:
            raise LetterError(f"it shows a picture {found[1]!r}, and carries {', '.join(pictures) or 'none'}")
        return f"data:image/png;base64,{base64.b64encode(pictures[found[1]]).decode('ascii')}"

    return INLINE.sub(inlined, message.html.replace("<head>", CHARSET_FIRST, 1))
