"""A cron expression in words, for tables and pages. What has no short words is shown as the expression."""

from daemon.cron_problems import DAY_OF_MONTH, MONTH, WEEKDAY, Field, fields_of

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# fmt: off
_MONTHS = ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December")
# fmt: on


def cron_words(expression: str, tz: str) -> str:
    """ "every day at 00:00 (Asia/Kolkata)", or "17 3-5 1,15 * * (Asia/Kolkata)" for want of words.

    A bare rhythm in UTC is told without its zone: "every 5 minutes".
    """
    fields = fields_of(expression)
    words = _words(fields) if len(fields) == 5 else None
    if tz == "UTC" and words is not None and words == _period(*fields[:2]):
        return words
    return f"{words or expression} ({tz})"


def _words(fields: list[Field]) -> str | None:
    minute, hour = fields[:2]
    days = _days(fields[DAY_OF_MONTH], fields[MONTH], fields[WEEKDAY])
    if days is None:
        return None
    times = _times(minute, hour)
    if times is not None:
        return f"{days} at {times}"
    period = _period(minute, hour)
    if period is None:
        return None
    return period if days == "every day" else f"{period}, {days}"


def _times(minute: Field, hour: Field) -> str | None:
    """The clock times of a wall-clock schedule, up to four of them."""
    if not minute.text.isdecimal() or not all(token.isdecimal() for token in hour.tokens()):
        return None
    hours = sorted({int(token) for token in hour.tokens()})
    return _listed([f"{h:02}:{int(minute.text):02}" for h in hours]) if len(hours) <= 4 else None


def _period(minute: Field, hour: Field) -> str | None:
    """The rhythm of an interval schedule, where it is even."""
    if hour.free and (step := _step(minute, 60)):
        return "every minute" if step == 1 else f"every {step} minutes"
    if not minute.text.isdecimal() or not (step := _step(hour, 24)):
        return None
    past = int(minute.text)
    return ("every hour" if step == 1 else f"every {step} hours") + (f" at :{past:02}" if past else "")


def _step(field: Field, size: int) -> int | None:
    """The n of `*/n`, 1 for `*`; None for all else and for steps that leave a short last gap."""
    if field.free:
        return 1
    star, _, step = field.text.partition("/")
    return int(step) if star == "*" and step.isdecimal() and int(step) and size % int(step) == 0 else None


def _days(day: Field, month: Field, weekday: Field) -> str | None:
    if day.free and month.free:
        return "every day" if weekday.free else _weekdays(weekday)
    if not weekday.free:
        return None
    if month.free:
        if day.text == "l":
            return "on the last day of every month"
        return f"on day {int(day.text)} of every month" if day.text.isdecimal() else None
    number = month.number(month.text) or 0
    named = day.text.isdecimal() and 1 <= number <= 12
    return f"every {int(day.text)} {_MONTHS[number - 1]}" if named else None


def _weekdays(field: Field) -> str | None:
    names = [[_weekday(field, word) for word in token.split("-")] for token in field.tokens()]
    if any(None in pair or len(pair) > len(set(pair)) or len(pair) > 2 for pair in names):
        return None
    spans = [" to ".join(name for name in pair if name) for pair in names]
    return ("every " if all(len(pair) == 1 for pair in names) else "") + _listed(spans)


def _weekday(field: Field, word: str) -> str | None:
    number = field.number(word)
    return _DAYS[number] if number is not None and number < len(_DAYS) else None


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
