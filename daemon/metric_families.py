"""A metric's family with its samples in one call, for what is read when somebody scrapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

Labels = TypeVar("Labels", bound=tuple[str, ...])


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Sequence[str], samples: Mapping[Labels, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=labels), samples)


def counters(name: str, text: str, labels: Sequence[str], samples: Mapping[Labels, float]) -> Metric:
    return _filled(CounterMetricFamily(name, text, labels=labels), samples)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, samples: Mapping[Labels, float]) -> Metric:
    for values, number in samples.items():
        family.add_metric(values, number)
    return family
