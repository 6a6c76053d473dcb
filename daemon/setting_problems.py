"""Words for what pydantic finds wrong with a setting: place, value, remedy. Its own words name Python's types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from daemon.naming import did_you_mean

NUMBER, WHOLE, TEXT, LIST = "write a number", "write a whole number", "write text", 'write a list, such as ["a", "b"]'
SECTION = "this is a section: write its keys under [{key}]"
# By pydantic's type of error; {…} are the bounds it knows, and `key`. What is not here keeps pydantic's sentence.
SENTENCES = {
    "missing": "is missing",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": NUMBER,
    "int_type": WHOLE, "int_parsing": WHOLE, "int_parsing_size": WHOLE, "int_from_float": WHOLE,
    "float_type": NUMBER, "float_parsing": NUMBER, "decimal_type": NUMBER, "decimal_parsing": NUMBER,
    "bool_type": "write true or false", "bool_parsing": "write true or false",
    "string_type": TEXT, "string_unicode": TEXT,
    "string_too_short": "write at least {min_length} characters",
    "string_too_long": "write at most {max_length} characters",
    "string_pattern_mismatch": "it cannot have this form; config.toml says which it has",
    "literal_error": "choose {expected}", "enum": "choose {expected}",
    "list_type": LIST, "tuple_type": LIST, "set_type": LIST, "frozen_set_type": LIST,
    "too_short": "write at least {min_length} of them", "too_long": "write at most {max_length} of them",
    "dict_type": SECTION, "model_type": SECTION, "model_attributes_type": SECTION,
    "date_type": "write a date, such as 2026-11-22", "date_parsing": "write a date, such as 2026-11-22",
    "date_from_datetime_parsing": "write a date, such as 2026-11-22",
    "time_type": 'write a time, such as "21:00"', "time_parsing": 'write a time, such as "21:00"',
    "url_type": "write a URL", "url_parsing": "write a URL, such as https://example.org",
}  # fmt: skip
TIMEDELTA = re.compile(r"(days|seconds|microseconds)=(-?\d+)")
SECTIONS = {"dict_type", "model_type", "model_attributes_type"}


def explained(
    errors: Iterable[ErrorDetails], model: type[BaseModel], origins: Mapping[str, str], *, under: Sequence[str] = (),
    otherwise: str = "configuration",
) -> list[str]:  # fmt: skip
    """A sentence for each error of a `model` whose section is `under`; `origins` says where each key was set."""
    sentences = (_sentence(error, model, origins, under, otherwise) for error in errors)
    return list(dict.fromkeys(sentences))


def _sentence(
    error: ErrorDetails, model: type[BaseModel], origins: Mapping[str, str], under: Sequence[str], otherwise: str
) -> str:
    keys = [str(part) for part in error["loc"]]
    path = [*under, *keys]
    dotted = ".".join(path)
    inside = (place for key, place in origins.items() if key == dotted or key.startswith(dotted + "."))
    place = next(inside, otherwise)
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key {dotted!r}{did_you_mean(keys[-1], _fields(model, keys[:-1]))}"
    if error["type"] == "missing":
        return f"{place}: {dotted} is missing"
    if path[0] == "jobs" and len(path) > 1 and error["type"] in SECTIONS:
        return f"{place}: {_job_section(path[1:])}"
    if isinstance(error["input"], Mapping):  # what is wrong is between the keys of a section
        return f"{place}: {dotted}: {_said(error, dotted)}"
    named = path[-1] if path[0] == "jobs" else dotted  # of a list of secrets, or of a section of keys, no part is shown
    return f"{place}: {dotted} = {shown(named, error['input'])}: {_said(error, dotted)}"


def _said(error: ErrorDetails, key: str) -> str:
    context = error.get("ctx", {})
    if error["type"] in ("value_error", "assertion_error"):
        message = str(context["error"])
    elif template := SENTENCES.get(error["type"]):
        message = template.format(key=key, **{name: _bound(value) for name, value in context.items()})
    else:
        message = error["msg"]
    return message[:1].lower() + message[1:]


def _bound(value: object) -> object:
    """A bound as a person writes it: pydantic gives a duration as the text of Python's `datetime.timedelta(days=1)`."""
    if not str(value).startswith("datetime.timedelta("):
        return value
    parts = {unit: int(number) for unit, number in TIMEDELTA.findall(str(value))}
    return _duration(timedelta(**parts))


def _duration(value: timedelta) -> str:
    return f"{value.total_seconds():g} s"


def _job_section(path: Sequence[str]) -> str:
    """`[jobs."suite.job"]` beside `[jobs.suite.job]`, and `[jobs.job]`: one name where there must be two."""
    suite, _, name = path[0].partition(".")
    if name:
        return f'[jobs."{path[0]}"]: write one section, and only one, of settings: [jobs.{suite}.{name}]'
    return f"[jobs.{path[0]}] does not name a suite and a job: write it as [jobs.SUITE.JOB]"


def shown(key: str, value: object) -> str:
    """Values that may be secret, or may hold one, are not repeated."""
    secret = any(word in key for word in ("url", "password", "secret", "token", "key"))
    if secret or "://" in str(value) or isinstance(value, Mapping):
        return "(not shown)"
    return _duration(value) if isinstance(value, timedelta) else repr(value)


def _fields(model: type[BaseModel], path: Iterable[str]) -> list[str]:
    """The keys that could have stood where an unknown one does."""
    kind: Any = model
    for key in path:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            fields = getattr(kind, "model_fields", {})
            kind = fields[key].annotation if key in fields else None
    return list(getattr(kind, "model_fields", {}))
