"""Who has to approve what: the domain's table of flows, spelled out by hand, and how rows of a policy are chosen."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from overlay.approvals.chain import ApprovalRow, Case, CaseLine, chain_of
from overlay.approvals.offices import OFFICES
from overlay.orders.model import Flow, Office
from overlay.orders.policy import InvalidPolicy, load_policy

DAY = date(2026, 12, 1)
BORROWER, OWNER, SECOND = "11330105MB0000002B", "11330106MB0000001A", "11330109MB0000003C"


def line(
    region: str = "330106", unit: str | None = OWNER, value: str | None = "4999.00", class_: str = "A02020200"
) -> CaseLine:
    return CaseLine(region, unit, class_, None if value is None else Decimal(value))


def offices(flow: str, *lines: CaseLine, region: str = "330105", damaged: bool = False) -> list[str]:
    case = Case(region, BORROWER, lines or (line(),), damaged)
    return [f"{step.office} {step.unit or step.region}" for step in load_policy().chain(Flow(flow), DAY, case)]


def test_a_loan_inside_a_region() -> None:
    assert offices("LOAN", region="330106") == [f"UNIT_HEAD {BORROWER}", "LENDING_REGION 330106"]


def test_a_loan_across_regions_and_from_the_city() -> None:
    found = offices("LOAN", line(), line("330100", None), line("330109", SECOND))
    assert found == [
        f"UNIT_HEAD {BORROWER}",
        "LENDING_REGION 330106",
        "LENDING_REGION 330100",
        "LENDING_REGION 330109",
        "BORROWING_REGION 330105",
        "CITY 330100",
    ]


def test_the_borrowing_region_that_lends_too_is_asked_once() -> None:
    assert offices("LOAN", line(), line("330105", SECOND)).count("BORROWING_REGION 330105") == 0
    assert offices("LOAN", line(), line("330105", SECOND)).count("LENDING_REGION 330105") == 1


def test_a_return_is_approved_only_when_it_is_damaged() -> None:
    assert offices("RETURN") == []
    assert offices("RETURN", damaged=True) == ["LENDING_REGION 330106"]


def test_a_reallocation_needs_both_sides() -> None:
    inside = offices("REALLOCATION", region="330106")
    assert inside == [f"UNIT_HEAD {BORROWER}", f"OWNER_UNIT {OWNER}", "LENDING_REGION 330106"]
    across = offices("REALLOCATION")
    assert across == [
        f"UNIT_HEAD {BORROWER}",
        f"OWNER_UNIT {OWNER}",
        "LENDING_REGION 330106",
        "BORROWING_REGION 330105",
        "LENDING_FINANCE 330106",
        "BORROWING_FINANCE 330105",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["49999.99"], []),
        (["50000"], ["LENDING_FINANCE"]),
        (["49999", "49999"], []),
        (["49999", "49999", "2"], ["LENDING_FINANCE"]),
        (["100000"], ["LENDING_FINANCE", "GOVERNMENT"]),
        (["49999"] * 5, ["LENDING_FINANCE", "GOVERNMENT"]),
        ([None], ["LENDING_FINANCE", "GOVERNMENT"]),
    ],
)
def test_a_disposal_climbs_by_amount_and_an_unknown_value_climbs_highest(
    values: list[str | None], expected: list[str]
) -> None:
    found = [one.split()[0] for one in offices("DISPOSAL", *(line(value=value) for value in values))]
    assert found == ["OWNER_UNIT", "DEPARTMENT", *expected]


def test_a_surrender_goes_from_the_unit_to_the_warehouse() -> None:
    assert [one.split()[0] for one in offices("SURRENDER")] == ["OWNER_UNIT", "DEPARTMENT", "WAREHOUSE"]


def test_each_owner_unit_is_asked_once_and_an_unnamed_one_by_its_region() -> None:
    found = offices("DISPOSAL", line(), line(), line(unit=SECOND), line(unit=None))
    assert [one for one in found if one.startswith("OWNER_UNIT")] == [
        f"OWNER_UNIT {OWNER}",
        f"OWNER_UNIT {SECOND}",
        "OWNER_UNIT 330106",
    ]


def row(**given: Any) -> ApprovalRow:
    values = {"effective": date(2022, 1, 1), "flow": "LOAN", "stage": 1, "office": "LENDING_REGION", "clause": "a"}
    return ApprovalRow.model_validate({**values, **given})


def clauses(*rows: ApprovalRow, day: date = DAY, lines: tuple[CaseLine, ...] = (line(),)) -> list[str]:
    return [step.clause for step in chain_of(rows, Flow.LOAN, day, Case("330105", BORROWER, lines))]


def test_a_later_set_replaces_an_earlier_one_from_its_day_on() -> None:
    old, later = row(clause="old"), row(clause="later", effective=date(2026, 6, 1))
    assert clauses(old, later, day=date(2026, 5, 31)) == ["old"]
    assert clauses(old, later, day=date(2026, 6, 1)) == ["later"]


def test_a_regions_own_rows_replace_the_citys_for_its_goods_only() -> None:
    rows = row(clause="city"), row(clause="own", region="330106")
    assert clauses(*rows, lines=(line(), line("330109", SECOND))) == ["own", "city"]


def test_a_class_condition_looks_at_what_is_below_and_at_the_untranslated() -> None:
    vehicles = row(class_under=["A0203"])
    assert clauses(vehicles, lines=(line(class_="A02030500"),)) == ["a"]
    assert clauses(vehicles, lines=(line(class_="A02020200"),)) == []
    assert clauses(vehicles, lines=(CaseLine("330106", OWNER, None, Decimal(1)),)) == ["a"]


def test_an_owners_limit_looks_at_its_own_lines_alone() -> None:
    dear = row(amount_from="10000")
    lines = (line(value="6000"), line("330109", SECOND, value="6000"))
    assert clauses(dear, lines=lines) == []
    assert clauses(dear, lines=(line(value="6000"), line(value="6000"))) == ["a"]


def test_every_office_has_a_rule() -> None:
    assert set(OFFICES) == set(Office)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[clause]]\nid="a"\nzh="a"\nen="a"\n[[approval]]\neffective=2022-01-01\nflow="LOAN"\nstage=1\noffice="MAYOR"\nclause="a"', "office"),
        ('[[clause]]\nid="a"\nzh="a"\nen="a"\n[[approval]]\neffective=2022-01-01\nflow="LOAN"\nstage=1\noffice="CITY"\nclause="b"', "b"),
        ('[[clause]]\nid="a"\nzh="a"\nen="a"\n[[approval]]\neffective=2022-01-01\nflow="LOAN"\nstage=1\noffice="CITY"\nclause="a"\nregion="330999"', "330999"),
        ('[[clause]]\nid="a"\nzh="a"\nen="a"\n[[approval]]\neffective=2022-01-01\nflow="LOAN"\nstage=1\noffice="CITY"\nclause="a"\nammount_from=1', "ammount_from"),
        ("[[clause", "expected"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused_and_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPolicy, match=f"(?i){said}"):
        load_policy(file)


SHIPPED = resources.files("overlay.orders").joinpath("policy.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("was", "instead", "said"),
    [
        ("days_max = 180", "days_maximum = 180", "days_maximum"),
        ('clause = "loan-term"\ndays_max', 'clause = "loan-terms"\ndays_max', "loan-terms"),
        ("days_max = 180", 'days_max = "half a year"', "days_max"),
        ("apply_if_booked = []", "apply_when_booked = []", "apply_when_booked"),
        ('apply_if_booked = ["RESERVED"', 'apply_if_booked = ["RESERVD"', "RESERVD"),
        ('[[limits]]\neffective = 2022-01-01\nflow = "DONATION"', '[[limits]]\neffective = 2022-01-01\nflow = "DISPOSAL"', "limits.*DONATION"),
    ],
)  # fmt: skip
def test_limits_and_statuses_that_cannot_be_meant_are_refused_too(
    tmp_path: Path, was: str, instead: str, said: str
) -> None:
    assert was in SHIPPED
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED.replace(was, instead), encoding="utf-8")
    with pytest.raises(InvalidPolicy, match=said):
        load_policy(file)
