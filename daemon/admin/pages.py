"""Templates of pages: Jinja2 with escaping, from `templates/`; what they refer to is served from `static/`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from daemon import in_words
from daemon.breakable import breakable
from daemon.version import VERSION

if TYPE_CHECKING:  # it needs `problems`, which has a page of its own
    from daemon.admin.access import Caller

HERE = Path(__file__).parent
STATIC = HERE / "static"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one of all pages: what is inserted is escaped, and a name that nothing was given for raises."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["version"] = VERSION
    made.filters |= {
        "duration": in_words.duration,
        "moment": in_words.moment,
        "iso": in_words.iso,
        "utc_field": in_words.utc_field,
        "breakable": breakable,
        "coded": coded,
        "size": in_words.size,
        "lower_first": lambda words: words[:1].lower() + words[1:],
    }
    return made


def coded(text: str) -> Markup:
    """What stands between backticks in a docstring as code."""
    pieces = re.split("`+([^`]+)`+", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(pieces))


def rendered(template: str, **values: Any) -> str:
    return environment().get_template(template).render(values)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(rendered(template, **values), status)


def page_for(caller: Caller, template: str, here: str, **values: Any) -> HTMLResponse:
    """A page within the frame: who is logged in, and `here`, the word in the navigation that it belongs to."""
    return page(template, who=caller.name, role=caller.role.word, csrf=caller.csrf, here=here, **values)
