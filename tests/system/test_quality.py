"""An officer's quality report and the duplicates across regions, held against the city's truth."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from contract.regions import REGIONS
from subgraphs.sample_city.truth import read_truth
from tests.system.conftest import City
from tests.system.processes import GWC


def gwc(
    city: City, *arguments: str, token: str | None = None, url: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GWC_URL": url or city.url, **({"GWC_TOKEN": token} if token else {})}
    command = [str(GWC), "quality", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def lines(path: Path, encoding: str) -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return [
            {name.partition(" ")[2]: cell for name, cell in line.items()} for line in csv.DictReader(file, strict=True)
        ]


@pytest.mark.parametrize(("region", "encoding"), [("330112", "gb18030"), ("330111", "utf-8-sig")])
def test_a_report_holds_every_issue_of_the_region(city: City, tmp_path: Path, region: str, encoding: str) -> None:
    out = tmp_path / "report.csv"
    officer = city.token("REGION_OFFICER", region=region)
    done = gwc(city, "report", "--region", region, "--out", str(out), "--encoding", encoding, token=officer)
    assert done.returncode == 0, done.stderr
    told = lines(out, encoding)
    truth = list(read_truth(city.folder, region))
    wanted = Counter(
        (row.native, code, field or "") for row in truth if row.outcome == "listed" for code, field in row.issues
    )
    listed = [line for line in told if line["state"] == "列示 listed"]
    prefix = f"asset:{region}:"
    assert Counter((line["id"].removeprefix(prefix), line["issue"], line["field"]) for line in listed) == wanted
    kept_back = [line for line in told if line not in listed]
    raws = {line["raw row"] for line in kept_back}
    assert len(raws) == len([row for row in truth if row.outcome == "quarantined"])
    assert all(json.loads(raw) for raw in raws)


def test_only_officers_of_the_region_get_one(city: City, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    for token in (None, city.token("REGION_OFFICER", region="330106"), city.token("CITY_OFFICER")):
        done = gwc(city, "report", "--region", "330111", "--out", str(out), token=token)
        assert done.returncode == 1
        assert "GWC_TOKEN" in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_endpoint_that_is_away(city: City, tmp_path: Path) -> None:
    done = gwc(city, "duplicates", "--out", str(tmp_path / "x.csv"), url="http://127.0.0.1:1/graphql")
    assert (done.returncode, "does not answer" in done.stderr, list(tmp_path.iterdir())) == (1, True, [])


def test_codes_that_stand_in_two_regions(city: City, tmp_path: Path) -> None:
    """Each listed asset whose code another region's listed asset has, and no other: from the truth."""
    out = tmp_path / "duplicates.csv"
    done = gwc(city, "duplicates", "--out", str(out), token=city.token("CITY_OFFICER"))
    assert done.returncode == 0, done.stderr
    by_code: dict[str, set[str]] = defaultdict(set)
    count = 0
    for region in REGIONS:
        for row in read_truth(city.folder, region):
            if row.outcome == "listed" and row.row is not None:
                count += 1
                if row.row["code"]:
                    by_code[row.row["code"].casefold()].add(f"{region} {row.native}")
    wanted = {code: assets for code, assets in by_code.items() if len({asset[:6] for asset in assets}) > 1}
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines(out, "utf-8-sig"):
        assert line["kind"] == "SAME_CODE"
        found[line["group"]].add(line["code"].casefold())
    assert wanted, "the sample city has such codes"
    assert sorted(found.values(), key=sorted) == sorted(({code} for code in wanted), key=sorted)
    assert f"among {count} assets" in done.stdout


def test_more_rows_than_may_be_read(city: City, tmp_path: Path) -> None:
    done = gwc(city, "duplicates", "--out", str(tmp_path / "x.csv"), "--rows-max", "10")
    assert (done.returncode, "--rows-max" in done.stderr, list(tmp_path.iterdir())) == (1, True, [])
