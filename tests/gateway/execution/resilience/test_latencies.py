"""The 95th percentile of the last answers."""

from __future__ import annotations

from gateway.execution.resilience.latencies import KEPT_MAX, NEEDED_MIN, SORTED_EVERY, Latencies


def test_too_few_say_nothing() -> None:
    latencies = Latencies()
    for _ in range(NEEDED_MIN - 1):
        latencies.record(0.1)
    assert latencies.p95() is None
    latencies.record(0.1)
    assert latencies.p95() == 0.1


def test_of_a_hundred_the_ninety_fifth() -> None:
    latencies = Latencies()
    for place in range(100):
        latencies.record((place * 37 % 100 + 1) / 1000)
    assert latencies.p95() == 0.095


def test_old_answers_are_forgotten() -> None:
    latencies = Latencies()
    for _ in range(1000):
        latencies.record(9.0)
    assert latencies.p95() == 9.0
    for _ in range(KEPT_MAX):
        latencies.record(0.01)
    assert latencies.p95() == 0.01


def test_a_change_is_seen_after_a_few_answers() -> None:
    latencies = Latencies()
    for _ in range(NEEDED_MIN):
        latencies.record(0.01)
    assert latencies.p95() == 0.01
    for _ in range(SORTED_EVERY):
        latencies.record(1.0)
    assert latencies.p95() == 1.0
