"""Pure: where a technical name may go on in the next line."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_AFTER = re.compile(r"(?<!\d)([._/:]+)(?=\w)")


def breakable(text: str) -> Markup:
    """Escaped, with a `<wbr>` after each dot, underscore, slash and colon within a name. Figures such as 4.2 and 23:59
    stay whole.
    """
    return Markup("<wbr>").join(escape(piece) for piece in _pieces(text))


def _pieces(text: str) -> list[str]:
    ends = [match.end() for match in _AFTER.finditer(text)]
    return [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]
