"""Messages and channels in the metrics."""

from __future__ import annotations

import pytest

from daemon import events as e
from daemon.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics("1.2.3")
    made.introduce_channels(["email"])
    return made


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_settled_messages_are_counted_from_zero(metrics: Metrics) -> None:
    assert value(metrics, "sexton_outbox_total", channel="email", status="sent") == 0
    metrics(e.MessagesSettled("email", "sent", 100))
    metrics(e.MessagesSettled("email", "sent", 3))
    metrics(e.MessagesSettled("email", "failed", 1))
    assert value(metrics, "sexton_outbox_total", channel="email", status="sent") == 103
    assert value(metrics, "sexton_outbox_total", channel="email", status="failed") == 1


@pytest.mark.parametrize("trouble", [e.ChannelDown("email", "refused", 5.0), e.ChannelDisabled("email", "404")])
def test_a_channel_is_up_until_it_is_found_away(metrics: Metrics, trouble: e.Event) -> None:
    assert value(metrics, "sexton_channel_up", channel="email") == 1
    metrics(trouble)
    assert value(metrics, "sexton_channel_up", channel="email") == 0
    metrics(e.ChannelBack("email", 60.0))
    assert value(metrics, "sexton_channel_up", channel="email") == 1
