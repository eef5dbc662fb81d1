"""Alarms of one sensor, by readings and the hands of a clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.telemetry.model import AlarmChange, AlarmEventKind, AlarmKind, Reading
from subgraphs.telemetry.profiles import load_profiles
from subgraphs.telemetry.watch import HourMean, Outcome, Watch
from tests.subgraphs.telemetry.parts import FAR_THERMOMETER, HYGROMETER, NOON, THERMOMETER

PROFILES = load_profiles()
RAISED, CLEARED = AlarmEventKind.RAISED, AlarmEventKind.CLEARED


class _Sensor:
    """A watch fed with a reading every so often: 14–24 °C, raised after 120 s, hysteresis 0.5, silent after 180 s."""

    def __init__(self) -> None:
        self.watch = Watch(THERMOMETER, PROFILES["paper-archives"], NOON)
        self.now = NOON

    def says(self, value: float, after_s: float = 60) -> list[tuple[AlarmEventKind, AlarmKind]]:
        self.now += timedelta(seconds=after_s)
        return _names(self.outcome(value).changes)

    def outcome(self, value: float) -> Outcome:
        outcome = self.watch.observe(self.now, self.now, value)
        assert outcome is not None
        return outcome

    def waits(self, seconds: float) -> list[tuple[AlarmEventKind, AlarmKind]]:
        self.now += timedelta(seconds=seconds)
        return _names(self.watch.tick(self.now))


def _names(changes: tuple[AlarmChange, ...]) -> list[tuple[AlarmEventKind, AlarmKind]]:
    return [(change.kind, change.alarm.kind) for change in changes]


def test_a_value_out_of_range_raises_an_alarm_only_after_the_set_time() -> None:
    sensor = _Sensor()
    assert sensor.says(25) == []
    assert sensor.says(25, 119) == []
    assert sensor.says(25, 1) == [(RAISED, AlarmKind.HIGH)]
    assert sensor.says(25) == [], "one trouble, one alarm"


def test_the_alarm_tells_when_the_trouble_began_its_limit_and_its_worst_value() -> None:
    sensor = _Sensor()
    sensor.says(25)
    began = sensor.now
    sensor.says(26, 120)
    alarm = sensor.watch.open_alarms[AlarmKind.HIGH]
    assert (alarm.since, alarm.raised_at, alarm.limit, alarm.worst_value) == (began, sensor.now, 24.0, 26)
    assert alarm.id == f"alarm:330106:A%2F1-T1-HIGH-{int(began.timestamp() * 1000)}"
    sensor.now += timedelta(seconds=60)
    assert [each.worst_value for each in sensor.outcome(28).worsened] == [28]
    sensor.now += timedelta(seconds=60)
    assert sensor.outcome(27).worsened == ()


def test_a_moment_in_range_starts_the_time_anew() -> None:
    sensor = _Sensor()
    sensor.says(25)
    sensor.says(24)
    assert sensor.says(25) == []
    assert sensor.says(25, 119) == []
    assert sensor.says(25, 1) == [(RAISED, AlarmKind.HIGH)]


def test_the_limits_themselves_are_in_range() -> None:
    sensor = _Sensor()
    for value in (14.0, 24.0) * 5:
        assert sensor.says(value) == []
        assert sensor.watch.last is not None
        assert sensor.watch.last.in_range


def test_an_alarm_clears_only_inside_the_hysteresis() -> None:
    sensor = _Sensor()
    sensor.says(25)
    assert sensor.says(25, 120) == [(RAISED, AlarmKind.HIGH)]
    assert sensor.says(23.9) == [], "in range, but not by the hysteresis"
    assert sensor.says(24.1) == [], "and back: still the same alarm"
    assert sensor.says(23.5) == [(CLEARED, AlarmKind.HIGH)]
    assert sensor.says(24.0) == []


def test_too_cold_is_an_alarm_of_its_own() -> None:
    sensor = _Sensor()
    sensor.says(10)
    assert sensor.says(9, 120) == [(RAISED, AlarmKind.LOW)]
    assert sensor.watch.open_alarms[AlarmKind.LOW].worst_value == 9
    assert sensor.says(14.4) == []
    assert sensor.says(14.5) == [(CLEARED, AlarmKind.LOW)]


def test_from_too_cold_to_too_hot_both_alarms_have_their_time() -> None:
    sensor = _Sensor()
    sensor.says(10)
    assert sensor.says(10, 120) == [(RAISED, AlarmKind.LOW)]
    assert sensor.says(30) == [(CLEARED, AlarmKind.LOW)]
    assert sensor.says(30, 120) == [(RAISED, AlarmKind.HIGH)]


def test_a_silent_sensor_is_an_alarm_until_it_speaks() -> None:
    sensor = _Sensor()
    sensor.says(20)
    heard = sensor.now
    assert sensor.waits(180) == []
    assert sensor.waits(1) == [(RAISED, AlarmKind.SILENT)]
    assert sensor.watch.open_alarms[AlarmKind.SILENT].since == heard
    assert sensor.waits(1000) == []
    assert sensor.says(20) == [(CLEARED, AlarmKind.SILENT)]


def test_a_sensor_that_never_spoke_is_silent_too() -> None:
    sensor = _Sensor()
    assert sensor.waits(181) == [(RAISED, AlarmKind.SILENT)]


def test_a_late_reading_ends_a_silence_and_judges_nothing() -> None:
    sensor = _Sensor()
    sensor.says(20)
    sensor.waits(200)
    late = sensor.watch.observe(NOON, sensor.now, 99)
    assert late is not None
    assert not late.live
    assert _names(late.changes) == [(CLEARED, AlarmKind.SILENT)]
    assert sensor.watch.last is not None
    assert sensor.watch.last.value == 20


def test_the_same_reading_again_is_nothing() -> None:
    sensor = _Sensor()
    sensor.says(20)
    assert sensor.watch.observe(sensor.now, sensor.now, 20) is None


def test_drift_is_judged_by_hourly_means() -> None:
    sensor = _Sensor()
    for minute in range(60):
        assert sensor.says(23.0 if minute == 30 else 15.0) == [], "a door that stood open is no drift"
    changes = [change for _ in range(121) for change in sensor.says(19.5)]
    assert changes == [(RAISED, AlarmKind.DRIFT)]
    alarm = sensor.watch.open_alarms[AlarmKind.DRIFT]
    assert alarm.limit == 4.0, "±2 °C allows a span of 4"
    assert alarm.worst_value is not None
    assert 4.0 < alarm.worst_value < 4.5


def test_drift_clears_when_the_hours_that_made_it_are_past() -> None:
    sensor = _Sensor()
    for _ in range(60):
        sensor.says(15.0)
    for _ in range(22 * 60):
        sensor.says(19.5)
    assert AlarmKind.DRIFT in sensor.watch.open_alarms
    changes = [change for _ in range(4 * 60) for change in sensor.says(19.5)]
    assert changes == [(CLEARED, AlarmKind.DRIFT)]


def test_a_profile_without_a_lower_limit_is_never_too_low() -> None:
    watch = Watch(HYGROMETER, PROFILES["general-goods"], NOON)
    for minute in range(20):
        outcome = watch.observe(NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute), 1.0)
        assert outcome is not None
        assert outcome.reading.in_range
        assert outcome.changes == ()


def test_a_restart_neither_forgets_an_alarm_nor_the_time_out_of_range() -> None:
    first = _Sensor()
    readings = []
    for value in (20.0, 25.0):
        first.says(value)
        readings.append(first.watch.last)
    second = Watch(THERMOMETER, PROFILES["paper-archives"], first.now + timedelta(seconds=30))
    second.restore(readings[-1], (), (), [each for each in readings if each is not None])
    at = first.now + timedelta(seconds=120)
    outcome = second.observe(at, at, 25.0)
    assert outcome is not None
    assert _names(outcome.changes) == [(RAISED, AlarmKind.HIGH)]
    third = Watch(THERMOMETER, PROFILES["paper-archives"], at)
    third.restore(outcome.reading, second.open_alarms.values(), (), (outcome.reading,))
    later = at + timedelta(seconds=60)
    cleared = third.observe(later, later, 20.0)
    assert cleared is not None
    assert cleared.changes[0].alarm.raised_at == at


def test_a_restart_keeps_the_hours_that_drift_is_judged_by() -> None:
    sensor = _Sensor()
    hour = int(NOON.timestamp()) // 3600
    sensor.watch.restore(None, (), [HourMean(hour - 1, 60 * 15.0, 60), HourMean(hour, 60 * 20.0, 60)], ())
    sensor.now = NOON + timedelta(hours=1)
    assert (RAISED, AlarmKind.DRIFT) in sensor.says(20.0)


_STEPS = st.lists(st.tuples(st.floats(5, 35), st.integers(1, 300)), max_size=60)


@settings(deadline=None)
@given(_STEPS)
def test_alarms_agree_with_a_slow_reading_of_the_rules(steps: list[tuple[float, int]]) -> None:
    """The oracle looks at the whole history each time, by the words of the rule."""
    watch = Watch(FAR_THERMOMETER, PROFILES["paper-archives"], NOON)
    history: list[tuple[datetime, float]] = []
    now, active = NOON, False
    for value, seconds in steps:
        now += timedelta(seconds=seconds)
        history.append((now, value))
        outcome = watch.observe(now, now, value)
        assert outcome is not None
        active = _should_be_high(history, active)
        assert (AlarmKind.HIGH in watch.open_alarms) == active


def _should_be_high(history: list[tuple[datetime, float]], active: bool) -> bool:
    now, value = history[-1]
    if active:
        return value > 24.0 - 0.5
    beyond: list[datetime] = []
    for at, each in reversed(history):
        if each <= 24.0:
            break
        beyond.append(at)
    return bool(beyond) and now - beyond[-1] >= timedelta(seconds=120)


def test_a_reading_knows_whether_it_is_in_range() -> None:
    sensor = _Sensor()
    assert sensor.outcome(20).reading == Reading(THERMOMETER.id, NOON, NOON, 20, True)
