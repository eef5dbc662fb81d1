"""Climate profiles are data, with the standard each comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from subgraphs.telemetry.model import SensorKind
from subgraphs.telemetry.profiles import ClimateRange, InvalidProfile, load_profiles

T, H = SensorKind.TEMPERATURE, SensorKind.HUMIDITY
GOOD = """
[cellar]
name = "地窖"
name_en = "Cellar"
standard = "own"
raise_after_s = 60
silent_after_s = 180
TEMPERATURE = { min = 5.0, max = 12.0, hysteresis = 0.5 }
"""


def test_the_standard_profiles_say_what_the_standards_say() -> None:
    profiles = load_profiles()
    paper, media, goods = (profiles[code] for code in ("paper-archives", "optical-media", "general-goods"))
    assert (paper.standard, media.standard) == ("JGJ 25-2010", "DA/T 87-2021")
    assert (paper.ranges[T].min, paper.ranges[T].max, paper.ranges[T].daily_drift_max) == (14, 24, 2)
    assert (paper.ranges[H].min, paper.ranges[H].max, paper.ranges[H].daily_drift_max) == (45, 60, 5)
    assert (media.ranges[T].min, media.ranges[T].max) == (15, 20)
    assert (media.ranges[H].min, media.ranges[H].max) == (25, 45)
    assert (goods.ranges[T].min, goods.ranges[T].max) == (5, 30)
    assert (goods.ranges[H].min, goods.ranges[H].max) == (None, 75)


def test_limits_belong_to_the_range() -> None:
    limits = ClimateRange(T, 14, 24, 0.5)
    assert [limits.contains(value) for value in (13.9, 14, 24, 24.1)] == [False, True, True, False]


def test_a_file_of_ones_own_takes_their_place(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert load_profiles(file)["cellar"].ranges[T].max == 12


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ('standard = "own"', "", "lacks 'standard'"),
        ("raise_after_s = 60", 'raise_after_s = "soon"', "soon"),
        ("silent_after_s = 180", "silent_after_s = 0", "silent_after_s"),
        ("hysteresis = 0.5", "hysteresis = -1", "hysteresis"),
        ("max = 12.0", "max = 5.5", "no room"),
        ("[cellar]", "[cellar", "Expected"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(tmp_path: Path, find: str, put: str, says: str) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(GOOD.replace(find, put), encoding="utf-8")
    with pytest.raises(InvalidProfile, match=says):
        load_profiles(file)
