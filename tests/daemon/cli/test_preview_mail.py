"""`sexton preview-mail`: every mail of the enabled suites as it would arrive, without a database."""

from __future__ import annotations

import re
import sys
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.daemon.cli.console import Console

ALL = "workers.flights,workers.investment,workers.jewellery,workers.productivity,workers.tutoring"
REVIEW = "productivity.weekly_review"
SAMPLES = """
from daemon import mail_sample

@mail_sample("alert")
def bell(settings):
    return {"rings": 3}

@mail_sample()
def broken(settings):
    return {"rings": settings.rings}
"""


@pytest.fixture
def suites(bare: Console) -> Console:
    return Console({**bare.environment, "SEXTON_SUITES": ALL}, bare.capture, bare.patch)


@pytest.fixture
def small(bare: Console, tmp_path: Path) -> Console:
    """A suite with three mails: one with a sample, one whose sample fails, one without."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "bells"]:
        bare.patch.delitem(sys.modules, name)  # of another test's folder
    package = tmp_path / "bells"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "ring.py").write_text("from daemon import *\n\n@job(OnDemand())\nasync def ring(ctx): ...\n")
    (package / "mail_samples.py").write_text(SAMPLES)
    for name in ("bell", "broken", "bare"):
        (package / "templates" / f"{name}.subject.txt").write_text("{{ rings }} rings")
        (package / "templates" / f"{name}.txt").write_text("Ding {{ rings }}")
    bare.patch.syspath_prepend(tmp_path)
    return Console({**bare.environment, "SEXTON_SUITES": "bells"}, bare.capture, bare.patch)


def test_without_a_template_all_mails_are_listed_with_their_subjects(suites: Console) -> None:
    done = suites("preview-mail").ok()
    assert done.err == ""
    listed = dict(re.split(r"  +", line, maxsplit=1) for line in done.out.splitlines())
    assert {name.partition(".")[0] for name in listed} == {
        "mail", "sexton", "investment", "jewellery", "productivity", "tutoring",
    }  # fmt: skip
    assert listed[REVIEW] == "Your week: 6 h 5 min of focus, 2 goals done"
    assert listed["sexton.alert"] == "Sexton: house.nightly failed for good"


def test_html_opens_in_a_browser_with_its_pictures_in_it(suites: Console, tmp_path: Path) -> None:
    pages = Console({**suites.environment, "FRONTEND_URL": "https://app.example.com"}, suites.capture, suites.patch)
    done = pages("preview-mail", REVIEW, "--to", tmp_path / "review.html").ok()
    assert done.out.splitlines()[0] == f"{REVIEW}: Your week: 6 h 5 min of focus, 2 goals done"
    html = (tmp_path / "review.html").read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in html
    assert "cid:" not in html
    assert 'href="https://app.example.com/goals/4711"' in html
    assert html.index("charset") < 1024 - len('charset="utf-8"')


def test_text_is_the_text_part_and_eml_the_whole_message_as_sent(suites: Console, tmp_path: Path) -> None:
    suites("preview-mail", "weekly_review", "--to", tmp_path / "review.TXT").ok()
    suites("preview-mail", "weekly_review", "--to", tmp_path / "review.eml").ok()
    mail = message_from_bytes((tmp_path / "review.eml").read_bytes(), policy=default)
    text = (tmp_path / "review.TXT").read_text(encoding="utf-8")
    assert mail["Subject"] == "Your week: 6 h 5 min of focus, 2 goals done"
    assert mail["From"] == "Sexton <sexton@example.org>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.get_body(("plain",)).get_content().splitlines() == text.splitlines()
    assert {part.get_content_type() for part in mail.walk()} >= {"text/html", "image/png"}


def test_the_sender_and_the_unsubscribing_pages_are_the_configured_ones(suites: Console, tmp_path: Path) -> None:
    configured = {
        "SEXTON_EMAIL__HOST": "mail.example.com", "SEXTON_EMAIL__SENDER": "Shop <shop@example.com>",
        "SEXTON_PUBLIC__BASE_URL": "https://news.example.com", "SEXTON_OUTBOX__UNSUBSCRIBE_SECRET": "x" * 40,
    }  # fmt: skip
    console = Console({**suites.environment, **configured}, suites.capture, suites.patch)
    console("preview-mail", "stock_alert", "--to", tmp_path / "a.eml").ok()
    mail = message_from_bytes((tmp_path / "a.eml").read_bytes(), policy=default)
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["List-Unsubscribe"].startswith("<https://news.example.com/u/")
    console("preview-mail", "order_notice", "--to", tmp_path / "b.eml").ok()
    assert message_from_bytes((tmp_path / "b.eml").read_bytes())["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("weekly_reviwe", "--to", "a.html"),
         "there is no mail 'weekly_reviwe'; did you mean 'weekly_review'?; sexton preview-mail lists them"),
        ((REVIEW, "--to", "a.pdf"), "--to a.pdf: the suffix says what is written; choose .html, .txt, .eml"),
        ((REVIEW,), f"{REVIEW}: write it where? --to mail.html, .txt or .eml"),
        (("--to", "a.html"), "--to a.html: which mail? sexton preview-mail lists them"),
    ],
)  # fmt: skip
def test_what_it_cannot_use_is_bad_usage_and_nothing_is_written(
    suites: Console, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    suites.patch.chdir(tmp_path)
    done = suites("preview-mail", *arguments)
    assert (done.status, done.err) == (2, f"error: {said}\n")
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_name_that_two_suites_have_is_asked_for_whole(small: Console, tmp_path: Path) -> None:
    other = tmp_path / "alarms"
    (tmp_path / "bells").rename(other)
    (other / "templates" / "alert.subject.txt").write_text("Sooner")
    (other / "templates" / "alert.txt").write_text("Later")
    console = Console({**small.environment, "SEXTON_SUITES": "alarms"}, small.capture, small.patch)
    done = console("preview-mail", "alert", "--to", tmp_path / "a.txt")
    assert (done.status, done.err) == (
        2, "error: 'alert' is a mail of several suites; choose sexton.alert or alarms.alert\n",
    )  # fmt: skip


def test_a_mail_without_a_sample_or_html_fails_and_says_what_to_write(small: Console, tmp_path: Path) -> None:
    place = tmp_path / "bells" / "mail_samples.py"
    done = small("preview-mail", "bare", "--to", tmp_path / "a.txt")
    assert done.status == 1
    assert done.err == f"error: bells.bare: it has no sample: write @mail_sample() def bare(settings) in {place}\n"
    done = small("preview-mail", "broken", "--to", tmp_path / "a.txt")
    assert done.status == 1
    assert f"{place}: broken: AttributeError" in done.err
    done = small("preview-mail", "bell", "--to", tmp_path / "a.html")
    assert done.err == "error: bells.bell: there is no HTML in it; --to FILE.txt shows the text\n"
    small("preview-mail", "bell", "--to", tmp_path / "a.txt").ok()
    assert (tmp_path / "a.txt").read_text() == "Ding 3"


def test_the_list_shows_what_it_can_and_fails_for_the_rest(small: Console, tmp_path: Path) -> None:
    done = small("preview-mail")
    assert done.status == 1
    assert "bells.bell" in done.out
    assert [line.split(":")[1] for line in done.err.splitlines()] == [" bells.bare", " bells.broken"]


def test_a_file_of_samples_that_cannot_be_read_is_named(small: Console, tmp_path: Path) -> None:
    (tmp_path / "bells" / "mail_samples.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "bells").rename(tmp_path / "gongs")
    console = Console({**small.environment, "SEXTON_SUITES": "gongs"}, small.capture, small.patch)
    done = console("preview-mail", "bell", "--to", tmp_path / "a.txt")
    assert done.status == 1
    assert "gongs.mail_samples cannot be loaded: ModuleNotFoundError" in done.err


def test_a_place_that_cannot_be_written_is_told(suites: Console, tmp_path: Path) -> None:
    done = suites("preview-mail", REVIEW, "--to", tmp_path / "nowhere" / "a.html")
    assert done.status == 1
    assert "No such file or directory" in done.err
