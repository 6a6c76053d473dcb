"""What a person decides about a payment in REVIEW: once, by the rules, with a name and a reason."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daemon import catalogue, suite_gauges
from daemon.settings import Settings
from daemon.testing import PerformedRun
from tests.daemon.admin.house import house
from tests.daemon.cli.console import Console, environment
from tests.workers.jewellery.provider import entity, event
from tests.workers.jewellery.shop import NOW, Shop
from tests.workers.jewellery.test_payment_captured import comes, news, work
from workers.jewellery.order_status_changed import order_status_changed
from workers.jewellery.payment_review import payment_review

LATER = NOW + timedelta(days=30)
ONLY = "and only a payment in REVIEW waits for a person"
CANCELLED = "its order is CANCELLED: set the order to PLACED first, or give the money back"
CAUSES = {"p1": {"amount": 40000}, "p2": {"currency": "USD"}, "p3": {}}
"""Another amount, another currency, a cancelled order."""


@pytest.fixture
async def reviews(shop: Shop) -> Shop:
    """Three payments that wait for a person."""
    for n, (payment, more) in enumerate(CAUSES.items(), 1):
        await shop.order(f"o{n}", locked_until=LATER)
        await shop.payment(payment, order=f"o{n}")
        if payment == "p3":
            await shop.connection.execute("UPDATE jewellery.orders SET status = 'CANCELLED' WHERE id = 'o3'")
        await news(shop, "captured", f"pay_{n}", f"order_{payment}", **more)
    await work(shop)
    await shop.perform(order_status_changed)
    await shop.connection.execute("DELETE FROM sexton.outbox; DELETE FROM jewellery.notification")
    return shop


async def ruled(shop: Shop, payment: str, decision: str, **options: Any) -> PerformedRun:
    return await shop.perform(payment_review, args={"payment": payment, "decision": decision}, **options)


async def test_what_is_accepted_confirms_its_order_once_and_says_who_accepted_it(reviews: Shop) -> None:
    run = await ruled(reviews, "p1", "accept")
    again = await ruled(reviews, "p1", "accept")
    late = await news(reviews, "captured", "pay_1", "order_p1", amount=40000) or await work(reviews)
    await reviews.perform(order_status_changed)

    assert run.result == {
        "payment": "p1", "was": "REVIEW", "is": "CAPTURED", "order": "o1", "order_number": "ORA-o1",
        "order_status": "CONFIRMED", "confirmed": True,
    }  # fmt: skip
    assert (again.ending, again.error) == ("failed", f"ValueError: payment p1 stays as it is: it is CAPTURED, {ONLY}")
    assert late.error is None
    assert await reviews.rows("SELECT status, failure_reason FROM jewellery.payment WHERE id = 'p1'") == [
        ("CAPTURED", None)
    ]
    assert await reviews.rows(
        "SELECT old_status, new_status, source, reason, run_id FROM jewellery.payment_transition "
        "WHERE payment_id = 'p1' AND old_status = 'REVIEW'"
    ) == [("REVIEW", "CAPTURED", "person", "accepted by somebody: no reason given", run.id)]
    assert await reviews.rows("SELECT source FROM jewellery.order_status_history WHERE status = 'CONFIRMED'") == [
        ("person",)
    ]
    assert await reviews.rows("SELECT stock FROM jewellery.product") == [(9,)]
    assert await reviews.value("SELECT count(*) FROM jewellery.inventory_lock WHERE order_id = 'o1'") == 0
    assert [template for template, _, _ in await reviews.mails()] == ["order_confirmation"]


async def test_what_is_said_to_be_given_back_changes_the_payment_alone(reviews: Shop) -> None:
    assert (await ruled(reviews, "p3", "refunded")).result["is"] == "REFUNDED"
    assert await reviews.rows("SELECT status, failure_reason FROM jewellery.payment WHERE id = 'p3'") == [
        ("REFUNDED", "given back by somebody: no reason given")
    ]
    assert await reviews.rows("SELECT status FROM jewellery.orders WHERE id = 'o3'") == [("CANCELLED",)]
    assert await reviews.mails() == []


async def test_money_is_not_taken_for_an_order_that_is_cancelled_or_paid(reviews: Shop) -> None:
    await reviews.payment("other", order="o2", status="CAPTURED", provider_payment_id="pay_other")
    refused = {payment: str((await ruled(reviews, payment, "accept")).error) for payment in ("p2", "p3")}
    assert refused == {
        "p2": "ValueError: payment p2 stays as it is: its order is paid by another payment: give this money back",
        "p3": f"ValueError: payment p3 stays as it is: {CANCELLED}",
    }
    assert await reviews.value("SELECT count(*) FROM jewellery.payment WHERE status = 'REVIEW'") == 3
    await reviews.connection.execute("UPDATE jewellery.orders SET status = 'PLACED' WHERE id = 'o3'")
    assert (await ruled(reviews, "p3", "accept")).result["order_status"] == "CONFIRMED"


async def test_an_order_that_the_shop_has_sent_already_is_paid_and_told_nothing(reviews: Shop) -> None:
    await reviews.connection.execute("UPDATE jewellery.orders SET status = 'SHIPPED' WHERE id = 'o1'")
    run = await ruled(reviews, "p1", "accept")
    assert (run.result["is"], run.result["order_status"], run.result["confirmed"]) == ("CAPTURED", "SHIPPED", False)
    assert await reviews.mails() == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "args: give the payment and the decision and nothing else, such as"),
        ({"payment": "p1"}, "args: give the payment and the decision"),
        ({"payment": 1, "decision": "accept"}, "args: give the payment and the decision"),
        ({"payment": "p1", "decision": "accept", "amount": 5}, "args: give the payment and the decision"),
        ({"payment": "p1", "decision": "ship"}, "args: decision = 'ship': write accept or refunded, such as"),
        ({"payment": "p1", "decision": ["accept"]}, "args: decision = ['accept']: write accept or refunded"),
        ({"payment": "p0", "decision": "accept"}, "there is no payment p0"),
    ],
)
async def test_what_cannot_be_decided_is_said_and_changes_nothing(empty_shop: Shop, args: Any, said: str) -> None:
    run = await empty_shop.perform(payment_review, args=args)
    assert run.ending == "failed"
    assert str(run.error).startswith(f"ValueError: {said}")


async def test_two_persons_who_decide_at_once_settle_it_once(reviews: Shop) -> None:
    runs = await asyncio.gather(ruled(reviews, "p1", "accept"), ruled(reviews, "p1", "refunded"))
    assert sorted(run.ending for run in runs) == ["failed", "succeeded"]
    assert await reviews.value("SELECT count(*) FROM jewellery.payment_transition WHERE source = 'person'") == 1


async def test_a_deadlock_costs_another_try_and_nothing_else(reviews: Shop) -> None:
    await reviews.connection.execute(
        "CREATE SEQUENCE jewellery.deadlocks; CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('jewellery.deadlocks') < 3 THEN RAISE EXCEPTION 'met' USING ERRCODE = 'deadlock_detected'; END IF; "
        "RETURN NEW; END $$; "
        "CREATE TRIGGER deadlock BEFORE UPDATE ON jewellery.payment FOR EACH ROW EXECUTE FUNCTION deadlock()"
    )
    assert (await ruled(reviews, "p1", "accept")).result["is"] == "CAPTURED"


async def test_at_the_command_line_it_is_listed_tried_out_and_settled_with_name_and_reason(
    reviews: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suites = {"SEXTON_SUITES": "workers.jewellery"}
    sexton = Console({**environment(reviews.url, tmp_path / "state"), **suites}, capsys, monkeypatch)
    listed = (await sexton.beside("run-job", "payment-review", "--dry-run")).ok().json
    assert [(found["payment"], found["reason"], found["decisions"]["accept"]) for found in listed] == [
        ("p1", "paid 40000 in the smallest unit of INR, not 49950", None),
        ("p2", "paid in USD, not in INR", None),
        ("p3", "the order is CANCELLED", CANCELLED),
    ]  # fmt: skip
    wish = ("run-job", "payment-review", "--args", '{"payment": "p1", "decision": "accept"}')
    assert (await sexton.beside(*wish, "--dry-run")).ok().json["decisions"]["accept"] is None
    assert "is sensitive: say why with --reason" in (await sexton.beside(*wish, "--wait")).err
    done = (await sexton.process(*wish, "--wait", "--by", "asha", "--reason", "a fee of the bank")).ok()
    assert '"order_status": "CONFIRMED"' in done.out
    assert await reviews.value("SELECT reason FROM jewellery.payment_transition WHERE source = 'person'") == (
        "accepted by asha: a fee of the bank"
    )
    assert await reviews.rows("SELECT who, action, reason FROM sexton.audit") == [
        ("asha", "run-job", "a fee of the bank")
    ]
    wrong = await sexton.beside("run-job", "payment-review", "--dry-run", "--args", wish[-1])
    assert (wrong.status, "it is CAPTURED" in wrong.err) == (2, True)


async def test_over_the_api_they_are_listed_and_settled_once_whatever_is_repeated(reviews: Shop) -> None:
    job = catalogue.load(Settings(suites=("workers.jewellery",))).jobs["jewellery.payment_review"]
    async with house(reviews.url, job, packages={"jewellery": "workers.jewellery"}) as h:
        listed = (await h.viewer.get("/api/v1/payment-reviews", params={"limit": 2})).raise_for_status().json()
        assert [(found["payment"], found["provider_payment"]) for found in listed] == [("p1", "pay_1"), ("p2", "pay_2")]
        assert (await h.client(None).get("/api/v1/payment-reviews")).status_code == 401
        assert (await h.viewer.get("/api/v1/payments/p0")).json()["detail"] == "there is no payment 'p0'"
        asked = {"args": {"payment": "p2", "decision": "refunded"}, "reason": "sent back by hand"}
        path = f"/api/v1/jobs/{job.name}/run"
        assert (await h.viewer.post(path, json=asked)).status_code == 403
        assert (await h.operator.post(path, json={"args": asked["args"]})).status_code == 422
        runs = [
            (await h.operator.post(path, json=asked, headers={"Idempotency-Key": "one"})).raise_for_status().json()
            for _ in range(2)
        ]
        assert runs[0]["run"] == runs[1]["run"]
        async with asyncio.timeout(120):
            while (found := (await h.viewer.get("/api/v1/payments/pay_2")).json())["status"] == "REVIEW":
                await asyncio.sleep(0.02)
    assert [(step["from"], step["to"], step["source"], step["reason"]) for step in found["history"]] == [
        ("PENDING", "REVIEW", "webhook", "paid in USD, not in INR"),
        ("REVIEW", "REFUNDED", "person", "given back by otto: sent back by hand"),
    ]


async def test_the_administrators_mail_has_the_command_and_it_works(shop: Shop) -> None:
    await shop.order()
    await shop.payment("it's", provider_order_id="order_its")
    await news(shop, "captured", order="order_its", amount=1)
    await work(shop)
    remedy = (await shop.mails())[0][2]["remedy"]
    words = shlex.split(remedy.partition("sexton run-job ")[2].partition(" --reason")[0])
    assert words[:2] == ["jewellery.payment_review", "--args"]
    assert (await shop.perform(payment_review, args=json.loads(words[2]))).result["is"] == "CAPTURED"


async def test_they_are_a_report_of_the_dashboards(reviews: Shop) -> None:
    jobs = catalogue.load(Settings(suites=("workers.jewellery",))).jobs.values()
    idle = [replace(job, enabled=False) for job in jobs]
    async with house(reviews.url, *idle, packages={"jewellery": "workers.jewellery"}) as h:
        told = (await h.viewer.get("/api/v1/reports/jewellery/reviews.csv")).raise_for_status().text
    assert [line.split(",")[:2] for line in told.splitlines()[1:]] == [
        ["p1", "ORA-o1"],
        ["p2", "ORA-o2"],
        ["p3", "ORA-o3"],
    ]


async def test_how_many_wait_is_a_metric(reviews: Shop) -> None:
    [gauge] = suite_gauges.load({"jewellery": "workers.jewellery"})
    assert (await suite_gauges.read(reviews.connection, gauge)).samples == {(): 3.0}
    await ruled(reviews, "p1", "refunded")
    assert (await suite_gauges.read(reviews.connection, gauge)).samples == {(): 2.0}


async def test_money_that_came_twice_is_settled_apart_from_the_first(shop: Shop) -> None:
    await shop.order()
    await shop.payment()
    for attempt in ("pay_1", "pay_2"):
        await comes(shop, event("payment.captured", entity(attempt, "order_p1")))
    await work(shop)
    assert (await ruled(shop, "p1:pay_2", "refunded")).result["is"] == "REFUNDED"
    assert await shop.rows("SELECT id, status, amount FROM jewellery.payment ORDER BY 1") == [
        ("p1", "CAPTURED", Decimal("499.50")), ("p1:pay_2", "REFUNDED", Decimal("499.50")),
    ]  # fmt: skip
