"""The words for customers, those that were given kept to the letter; and amounts as people read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import currency_places
from tests.workers.suite_under_test import letter
from workers.jewellery.money import from_minor, said, to_minor
from workers.jewellery.order_words import Order, mail, notice

ORDER = Order("o1", "ORA-1", "c1", Decimal(1), "INR", "AWB 1")
CURRENCIES = st.sampled_from(["INR", "JPY", "KWD", "USD", "XAF", "BHD"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("CONFIRMED", ("ORDER_CONFIRMED", "Order Confirmed",
                       "Your payment has been received and order is being prepared.")),
        ("SHIPPED", ("ORDER_SHIPPED", "Order Shipped", "Your order is on the way. Tracking: AWB 1")),
        ("DELIVERED", ("ORDER_DELIVERED", "Order Delivered",
                       "Your order has been delivered. Please confirm receipt.")),
    ],
)  # fmt: skip
def test_the_given_texts_are_kept_to_the_letter(status: str, words: tuple[str, str, str]) -> None:
    found = notice(status, ORDER)
    assert found is not None
    assert (found.type, found.title, found.message) == words


@pytest.mark.parametrize("status", ["SHIPPED", "DELIVERED"])
def test_the_mail_of_a_notice_has_the_given_title_as_subject_and_the_given_text(status: str) -> None:
    words = notice(status, ORDER)
    assert words is not None
    sent = mail(status, ORDER, words, date(2026, 11, 22))
    subject, text, html = letter("jewellery", sent.template, sent.data)
    assert subject == words.title
    assert text.startswith(f"{words.message}\n")
    assert html is not None
    assert words.message in html


def test_a_shipment_without_a_number_promises_none() -> None:
    found = notice("SHIPPED", Order("o1", "ORA-1", "c1", Decimal(1), "INR"))
    assert found is not None
    assert found.message == "Your order is on the way."


def test_the_shops_own_affairs_are_told_to_nobody() -> None:
    assert notice("PROCESSING", ORDER) is None


@given(st.integers(0, 10**14), CURRENCIES)
def test_amounts_come_back_from_their_smallest_units(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"), [("12.34", "INR", 1234), ("1200", "JPY", 1200), ("1.234", "KWD", 1234)]
)
def test_currencies_have_their_own_smallest_unit(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("0.5", "JPY"), ("0.001", "INR"), ("0.0001", "KWD")])
def test_an_amount_without_a_coin_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=f"{currency}: the currency has {currency_places(currency)} decimal places"):
        to_minor(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234.5", "INR", "INR 1,234.50"), ("1000", "JPY", "JPY 1,000"), ("2", "KWD", "KWD 2.000"),
     ("0.005", "INR", "INR 0.005"), ("1E+3", "INR", "INR 1,000.00")],
)  # fmt: skip
def test_amounts_are_written_with_the_places_of_their_currency(amount: str, currency: str, text: str) -> None:
    assert said(Decimal(amount), currency) == text
