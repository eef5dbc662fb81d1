"""The generator: exact counts, the same city for the same seed, all or nothing."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract.regions import REGIONS
from subgraphs.sample_city.generate import (
    FORMAT_VERSION,
    SHAPES,
    SIZES,
    CityError,
    CityManifest,
    city_manifest,
    generate_city,
    listed_count,
)
from subgraphs.sample_city.truth import read_summary


def _digests(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def _silent(line: str) -> None: ...


def test_every_region_has_a_store_and_no_other() -> None:
    assert list(SHAPES) == list(REGIONS)


@pytest.mark.parametrize(("size", "total"), [("small", 1_400), ("city", 29_000), ("large", 1_000_000)])
def test_shares_add_up_exactly_and_xihu_has_twenty_times_chunan(size: str, total: int) -> None:
    assert size in SIZES
    counts = {region: listed_count(size, region) for region in SHAPES}
    assert sum(counts.values()) == total
    assert counts["330106"] == 20 * counts["330127"]


def test_small_lists_exactly_what_it_says(small_city: Path) -> None:
    summary = read_summary(small_city)
    assert summary["total"]["listed"] == 1_400
    assert {r: part["listed"] for r, part in summary["regions"].items()} == {
        r: listed_count("small", r) for r in SHAPES
    }


def test_the_city_of_29000_is_made_within_30_seconds_and_xihu_is_twenty_times_chunan(tmp_path: Path) -> None:
    started = time.monotonic()
    generate_city(tmp_path / "city", "city", 7, _silent)
    assert time.monotonic() - started < 30
    summary = read_summary(tmp_path / "city")
    assert summary["total"]["listed"] == 29_000
    assert summary["regions"]["330106"]["listed"] == 20 * summary["regions"]["330127"]["listed"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small_city: Path, tmp_path: Path) -> None:
    generate_city(tmp_path / "again", "small", 2022, _silent)
    generate_city(tmp_path / "other", "small", 2023, _silent)
    first, again, other = _digests(small_city), _digests(tmp_path / "again"), _digests(tmp_path / "other")
    assert again == first
    stores = [
        name
        for name in first
        if name.startswith("stores/") and name.endswith((".sqlite", ".xlsx", "30.csv", "assets.jsonl"))
    ]
    assert len(stores) == 14
    assert all(other[name] != first[name] for name in stores)


def test_there_are_exactly_fourteen_mappings(small_city: Path) -> None:
    assert sorted(path.name for path in (small_city / "mappings").iterdir()) == [f"{region}.toml" for region in REGIONS]


def test_the_manifest_tells_a_complete_city(small_city: Path, tmp_path: Path) -> None:
    assert city_manifest(small_city) == CityManifest("small", 2022, FORMAT_VERSION)
    assert city_manifest(tmp_path) is None
    assert city_manifest(tmp_path / "missing") is None
    (tmp_path / "manifest.json").write_text('{"size": "small", "seed": 1, "format": 0}')
    assert city_manifest(tmp_path) is None


def test_progress_names_every_region(tmp_path: Path) -> None:
    lines: list[str] = []
    generate_city(tmp_path / "city", "small", 1, lines.append)
    assert all(any(region in line for line in lines) for region in REGIONS)


def test_a_killed_generation_leaves_no_city_and_the_next_one_starts_clean(tmp_path: Path) -> None:
    out = tmp_path / "city"
    process = subprocess.Popen(
        [sys.executable, "-m", "subgraphs.sample_city.generate", "large", "1", str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert "330100" in process.stdout.readline()
        assert "330102" in process.stdout.readline()  # the first store is written, the second under way
        process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert not out.exists()
    assert city_manifest(out) is None
    assert (tmp_path / ".city.building").exists()

    generate_city(out, "small", 1, _silent)
    generate_city(tmp_path / "untroubled", "small", 1, _silent)
    assert _digests(out) == _digests(tmp_path / "untroubled")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["city", "untroubled"]


def test_a_second_generation_of_the_same_place_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    out = tmp_path / "city"
    process = subprocess.Popen(
        [sys.executable, "-m", "subgraphs.sample_city.generate", "large", "1", str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        with pytest.raises(CityError, match="another process"):
            generate_city(out, "small", 1, _silent)
        process.kill()
    process.wait(timeout=30)


def test_an_older_city_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "city"
    generate_city(out, "small", 1, _silent)
    generate_city(out, "small", 2, _silent)
    assert city_manifest(out) == CityManifest("small", 2, FORMAT_VERSION)

    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("keep me")
    with pytest.raises(CityError, match="no sample city"):
        generate_city(mine, "small", 1, _silent)
    assert (mine / "letter.txt").read_text() == "keep me"


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CityError, match="cannot write the sample city"):
        generate_city(tmp_path / "file" / "city", "small", 1, _silent)
