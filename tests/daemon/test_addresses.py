"""Addresses that may go on a wire, and all the others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.addresses import mail_address, mailbox, one_line, telephone_number


@pytest.mark.parametrize(
    "text", ["ada@example.org", "a.b+tag@sub.example.co", "x@localhost", "o'hara@example.org", "żółw@example.org"]
)
def test_an_address_stays_as_it_is(text: str) -> None:
    assert mail_address(text) == text


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"), ("例え.example", "xn--r8jz45g.example"),
    ],
)  # fmt: skip
def test_a_domain_in_another_script_is_written_as_its_registry_has_it(domain: str, written: str) -> None:
    assert mail_address(f"ada@{domain}") == f"ada@{written}"  # ß is no ss: that is another domain, of somebody else


@pytest.mark.parametrize(
    "text",
    [
        "", "ada", "@example.org", "ada@", "ada@@example.org", "a b@example.org", "ada@exa mple.org", "ada@.org",
        "ada@example..org", "ada@-x.org", ".ada@example.org", "ada..b@example.org", '"a b"@example.org',
        "ada@[127.0.0.1]", "Ada <ada@example.org>", "ada@example.org,eve@example.org", "ada@example.org\n",
        "ada\r\nRCPT TO:<eve@example.org>@example.org", "ada\x00@example.org", "a" * 65 + "@example.org",
        "ada@" + ".".join(["x" * 60] * 5), "\ud800@example.org", "ada\u2028@example.org", "ada\xa0b@example.org",
    ],
)  # fmt: skip
def test_what_is_no_single_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no e-mail address: write one, such as ada@example\.org"):
        mail_address(text)


@given(st.text())
def test_no_address_that_passes_can_end_a_command_or_a_header(text: str) -> None:
    try:
        address = mail_address(text)
    except ValueError:
        return
    assert not re.search(r'[\s<>,;:"\x00-\x1f]', address)
    assert address.count("@") == 1
    assert mail_address(address) == address


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ada@example.org", ("", "ada@example.org")), ("Ada <ada@example.org>", ("Ada", "ada@example.org")),
        ('"Ada, Countess" <ada@example.org>', ("Ada, Countess", "ada@example.org")),
    ],
)  # fmt: skip
def test_a_mailbox_is_a_name_and_an_address(text: str, parsed: tuple[str, str]) -> None:
    assert mailbox(text) == parsed


@pytest.mark.parametrize("text", ["", "Ada", "Ada <ada>", "Ada <ada@example.org>\nBcc: eve@example.org", "a@b, c@d"])
def test_another_mailbox_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no e-mail address"):
        mailbox(text)


@pytest.mark.parametrize("text", ["+41791234567", "+12025550123", "+8613800138000", "+123456789012345"])
def test_a_number_of_e164_stays_as_it_is(text: str) -> None:
    assert telephone_number(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "0791234567", "41791234567", "+0791234567", "+41 79 123 45 67", "+4179123456x", "+123456", "+1234567890123456",
     "+41791234567\n", "+٤١٧٩١٢٣٤٥٦٧"],
)  # fmt: skip
def test_another_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like \+41791234567"):
        telephone_number(text)


@given(st.text())
def test_one_line_has_no_line_end_and_keeps_the_words(text: str) -> None:
    line = one_line(text)
    assert line.splitlines() in ([], [line])
    assert line.split() == re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split()
