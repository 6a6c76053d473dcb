"""When a refusal is the message's own, and when the server refuses everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.channels.channel import Delivery, Verdict
from daemon.channels.smtp_replies import Stage, lost, refused
from daemon.refusals import LOOK_AGAIN, Refusals, weighed

SENT = Delivery(Verdict.SENT)
A, B, C, D = "ada@one.example", "bob@two.example", "cyd@two.example", "dan@one.example"


def denied(address: str, words: str = "Relay access denied") -> Delivery:
    return refused(Stage.RECIPIENT, 554, f"5.7.1 <{address}>: {words}")


def verdicts(*answers: tuple[str, Delivery], again: bool = False) -> list[Verdict]:
    found, refusals = [], Refusals()
    for address, delivery in answers:
        answer, refusals = weighed(refusals, address, delivery, tried_before=again)
        found.append(answer.verdict)
    return found


def test_three_addresses_of_two_domains_refused_with_the_same_words_are_everybody() -> None:
    assert verdicts((A, denied(A)), (B, denied(B)), (C, denied(C)), (D, denied(D))) == [
        Verdict.RETRY, Verdict.RETRY, Verdict.DOWN, Verdict.DOWN,
    ]  # fmt: skip


def test_the_messages_of_an_ill_server_wait_so_that_others_are_tried_first() -> None:
    refusals = Refusals(denied(A).policy, frozenset({A, B}))
    delivery, _ = weighed(refusals, C, denied(C), tried_before=True)
    assert (delivery.verdict, delivery.retry_after) == (Verdict.DOWN, LOOK_AGAIN)
    assert delivery.detail.startswith("the last 3 recipients were all refused: 554 5.7.1")


def test_one_firm_that_refuses_us_is_not_everybody() -> None:
    firm = [f"{name}@one.example" for name in "abcdefgh"]
    assert Verdict.DOWN not in verdicts(*((address, denied(address)) for address in firm))


def test_one_address_however_often_and_different_words_are_not_everybody() -> None:
    assert Verdict.DOWN not in verdicts(*((A, denied(A)) for _ in range(9)))
    words = ("no thanks", "not today", "never")
    assert Verdict.DOWN not in verdicts(
        *((address, denied(address, w)) for address, w in zip((A, B, C), words, strict=True))
    )


def test_a_refusal_is_the_messages_own_when_others_got_through_since_it_was_tried() -> None:
    assert verdicts((A, denied(A)), (B, SENT), (A, denied(A)), again=True)[-1] is Verdict.REJECTED
    assert verdicts((A, denied(A)), (A, denied(A)), again=True)[-1] is Verdict.RETRY
    assert verdicts((B, SENT), (A, denied(A)))[-1] is Verdict.RETRY


def test_a_mailbox_that_does_not_exist_is_refused_at_once_and_says_nothing_of_the_server() -> None:
    nobody = refused(Stage.RECIPIENT, 550, "5.1.1 no such user")
    assert verdicts((A, nobody), (B, nobody), (C, nobody)) == [Verdict.REJECTED] * 3
    full = refused(Stage.RECIPIENT, 552, "5.2.2 mailbox full")
    assert verdicts((A, full), (B, full), (C, full)) == [Verdict.REJECTED] * 3


def test_a_server_that_is_ill_by_its_own_words_needs_only_one_firm_to_tell() -> None:
    firm = [f"{name}@one.example" for name in "abcde"]
    for answer in (refused(Stage.CONTENT, 452, "4.3.1 no room"), lost(Stage.RECIPIENT, "timed out")):
        assert verdicts(*((address, answer) for address in firm)) == [Verdict.RETRY] * 2 + [Verdict.DOWN] * 3
        assert verdicts(*((A, answer) for _ in range(9))) == [Verdict.RETRY] * 9
        assert verdicts((A, answer), (B, SENT), (C, answer), (D, answer))[-1] is Verdict.RETRY


def test_those_that_are_put_off_for_themselves_are_no_sign_of_illness() -> None:
    greylisted = refused(Stage.RECIPIENT, 450, "4.7.1 greylisted")
    assert verdicts(*((f"{n}@firm{n}.example", greylisted) for n in range(20))) == [Verdict.RETRY] * 20


def test_what_may_have_arrived_stays_in_doubt_and_the_third_in_a_row_stops_those_to_come() -> None:
    doubt = Delivery(Verdict.UNKNOWN, "ReadTimeout", policy="no answer")
    refusals, found = Refusals(), []
    for number in ("+411", "+412", "+413", "+414"):
        delivery, refusals = weighed(refusals, number, doubt, tried_before=False)
        found.append((delivery.verdict, delivery.everybody))
    assert found == [(Verdict.UNKNOWN, False)] * 2 + [(Verdict.UNKNOWN, True)] * 2
    assert weighed(weighed(refusals, "+41", SENT, tried_before=False)[1], "+411", doubt, tried_before=False)[0] == doubt


@given(st.lists(st.sampled_from([(a, d) for a in (A, B, C, D) for d in (SENT, denied(a), denied(a, "no"))])))
def test_nothing_is_given_up_unless_another_got_through_before_it(answers: list[tuple[str, Delivery]]) -> None:
    for number, verdict in enumerate(verdicts(*answers, again=True)):
        sent_before = any(delivery is SENT for _, delivery in answers[:number])
        assert sent_before or verdict is not Verdict.REJECTED
        if verdict is Verdict.DOWN:
            assert all(delivery is not SENT for _, delivery in answers[number - 2 : number])
