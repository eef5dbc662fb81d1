"""The truth: complete, consistent in itself, and holding every pathology that legacy data is known for."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from contract.decimals import format_decimal, format_money, parse_decimal
from contract.uscc import is_valid_uscc
from subgraphs.sample_city.generate import SHAPES
from subgraphs.sample_city.pathologies import BLOCKING, ISSUES
from subgraphs.sample_city.truth import TruthRow, read_summary, read_truth

_MONEY = ("originalValue", "netValue", "accumulatedDepreciation")
_FIELDS = {
    "native", "code", "name", "classScheme", "classCode", "className", "legacyClassScheme", "legacyClassCode", "legacyClassName",
    "specification", "brand", "model", "serialNumber", "quantity", "originalValue", "accumulatedDepreciation", "netValue", "massKg",
    "unitOfMeasure", "acquiredOn", "shareableUntil", "acquisition", "valueType", "source", "condition", "status",
    "usefulLifeMonths", "owner", "warehouse", "keeper", "user", "location", "shareable", "updatedAt",
}  # fmt: skip


@pytest.fixture(scope="module")
def truth(small_city: Path) -> dict[str, list[TruthRow]]:
    return {region: list(read_truth(small_city, region)) for region in SHAPES}


def test_sums_agree_with_the_rows(small_city: Path, truth: dict[str, list[TruthRow]]) -> None:
    summary = read_summary(small_city)
    total = Counter[str]()
    original = net = Decimal(0)
    for region, rows in truth.items():
        part = summary["regions"][region]
        outcomes = Counter(row.outcome for row in rows)
        assert {key: part[key] for key in ("listed", "quarantined", "secret", "ignored")} == {
            key: outcomes[key] for key in ("listed", "quarantined", "secret", "ignored")
        }
        listed = [row.row for row in rows if row.row is not None]
        region_original = sum((Decimal(row["originalValue"]) for row in listed), Decimal(0))
        region_net = sum((Decimal(row["netValue"]) for row in listed), Decimal(0))
        assert (format_money(region_original), format_money(region_net)) == (part["originalValue"], part["netValue"])
        assert Counter((row["classCode"] or "")[:3] for row in listed) == Counter(part["byTopClass"])
        assert Counter(row["status"] or "" for row in listed) == Counter(part["byStatus"])
        assert Counter(f"{c}/{f or ''}" for row in rows for c, f in row.issues) == Counter(part["issues"])
        total.update(outcomes)
        original += region_original
        net += region_net
    assert summary["total"]["listed"] == total["listed"]
    assert summary["total"]["originalValue"] == format_money(original)
    assert summary["total"]["netValue"] == format_money(net)


def test_outcomes_and_issues_agree(truth: dict[str, list[TruthRow]]) -> None:
    for rows in truth.values():
        for row in rows:
            codes = {code for code, _ in row.issues}
            assert codes <= set(ISSUES)
            assert (row.row is not None) == (row.outcome == "listed")
            match row.outcome:
                case "listed":
                    assert not codes & BLOCKING
                case "quarantined":
                    assert codes and codes <= BLOCKING
                case _:
                    assert not codes


def test_rows_are_canonical(truth: dict[str, list[TruthRow]]) -> None:
    for region, rows in truth.items():
        listed = [row.row for row in rows if row.row is not None]
        assert len({row["native"] for row in listed}) == len(listed), region
        for row in listed:
            assert set(row) == _FIELDS
            for field in _MONEY:
                assert row[field] is None or format_money(parse_decimal(row[field])) == row[field]
            assert format_decimal(parse_decimal(row["quantity"])) == row["quantity"]
            assert row["name"] is None or row["name"] == row["name"].strip()


@pytest.mark.parametrize("code", ISSUES)
def test_every_issue_occurs_in_small(code: str, truth: dict[str, list[TruthRow]]) -> None:
    assert any(code == found for rows in truth.values() for row in rows for found, _ in row.issues)


def test_every_region_has_secret_rows(truth: dict[str, list[TruthRow]]) -> None:
    assert all(any(row.outcome == "secret" for row in rows) for rows in truth.values())


def test_odd_rows_that_are_right_occur(truth: dict[str, list[TruthRow]]) -> None:
    natives = [row.native or "" for rows in truth.values() for row in rows if row.outcome == "listed"]
    assert any(":" in native for native in natives)
    assert any("公" in native for native in natives)
    assert any(row.outcome == "ignored" for row in truth["330105"])  # older versions
    assert any(row.outcome == "ignored" for row in truth["330106"])  # deleted softly
    assert any(row.outcome == "ignored" for row in truth["330113"])  # confiscated goods
    assert any(row.row and "." in row.row["quantity"] for rows in truth.values() for row in rows)
    batches = [row.row for rows in truth.values() for row in rows if row.row and Decimal(row.row["quantity"]) > 1]
    assert batches


def test_a_printed_code_may_occur_in_two_regions_without_an_issue(truth: dict[str, list[TruthRow]]) -> None:
    codes = Counter(code for rows in truth.values() for code in {row.row["code"] for row in rows if row.row})
    assert max(codes.values()) > 1


def test_classes_of_2010_whose_code_means_another_thing_in_2022_occur(truth: dict[str, list[TruthRow]]) -> None:
    """The trap: A02010104 is a desktop in 2010 and a server in 2022."""
    rows = [row.row for row in truth["330102"] if row.row]
    trapped = [row for row in rows if row["legacyClassCode"] == "A02010104"]
    assert trapped and all(row["classCode"] == "A02010105" and row["className"] == "台式计算机" for row in trapped)


def test_uscc_are_valid_but_for_the_mistyped_one(small_city: Path) -> None:
    for region in SHAPES:
        units = orjson.loads((small_city / "truth" / f"{region}.units.json").read_bytes())
        assert units
        codes = [unit["uscc"] for unit in units]
        assert all(code is None or is_valid_uscc(code) for code in codes)
        expected_broken = 0 if region in ("330112", "330127") else 1
        assert codes.count(None) == expected_broken, region


def test_owners_and_warehouses_are_in_their_lists(small_city: Path, truth: dict[str, list[TruthRow]]) -> None:
    physical = 0
    for region, rows in truth.items():
        units = orjson.loads((small_city / "truth" / f"{region}.units.json").read_bytes())
        houses = orjson.loads((small_city / "truth" / f"{region}.warehouses.json").read_bytes())
        listed = [row.row for row in rows if row.row]
        assert {row["owner"] for row in listed} - {None} <= {unit["native"] for unit in units}
        assert {row["warehouse"] for row in listed} - {None} <= {house["native"] for house in houses}
        physical += sum(house["kind"] == "PHYSICAL" for house in houses)
    assert physical == 14


def test_every_issue_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "data-quality.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(lines) >= set(ISSUES)
    for code, blocking in ISSUES.items():
        assert ("**yes**" in lines[code]) == blocking
