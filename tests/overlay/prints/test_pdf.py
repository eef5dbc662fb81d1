"""Papers are read back out of the PDF: every word, every page, and the code by which they are checked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import zxingcpp
from pypdfium2 import PdfDocument

from contract.identity import Identity
from overlay.orders.model import (
    ApprovalState,
    ApprovalStep,
    Flow,
    HoldState,
    Line,
    Office,
    Order,
    Outcome,
    Settlement,
    State,
)
from overlay.orders.policy import load_policy
from overlay.prints.pdf import render_pdf
from overlay.prints.sheet import Kind, Sheet, has_print, make_sheet
from tests.overlay.city import BORROWER, CLERK, LENDING, OWNER, RIVAL

NOW = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
CHECK = "https://gwc.example/files/prints/0123456789abcdef0123456789abcdef"
LONG = "台式计算机（含显示器、键盘、鼠标，ThinkCentre M930t-D123，2022年采购批次），附件齐全；" * 6


def line(position: int, name: str = "投影仪", quantity: str = "1", value: str | None = "10.00", **more: object) -> Line:
    made = Line(
        id=f"l{position}",
        order_id="order:x",
        position=position,
        asset_id=f"asset:330106:TY{position:06d}",
        asset_name=name,
        lending_region="330106",
        owner_unit=OWNER,
        unit_of_measure="台",
        card_quantity=Decimal(3),
        card_value=None if value is None else Decimal(value),
        facts="f",
        lineage=None,
        asked=Decimal(quantity),
        refusal=None,
        accepts_partial=False,
        quantity=Decimal(quantity),
        dispatched=Decimal(0),
        arrived=Decimal(0),
        received=Decimal(0),
        returning=Decimal(0),
        returned=Decimal(0),
        hold_id="h",
        hold_state=HoldState.ACTIVE,
        loan_line_id=None,
        outcome=None,
        due_day=None,
        estimate=None,
        cost=None,
        appraisal=None,
        quota=None,
        successors=(),
        compensation=None,
    )
    return replace(made, **more)  # type: ignore[arg-type]


STEPS = (
    ApprovalStep("order:x", 1, Office.UNIT_HEAD, None, BORROWER, "c", None, ApprovalState.APPROVED, "同意。", "head", BORROWER,
                 "330105", "2026-12-01T02:00:00.000000Z"),
    ApprovalStep("order:x", 2, Office.LENDING_REGION, "330106", None, "c", None, ApprovalState.APPROVED, None, "lending", None,
                 "330106", "2026-12-01T03:00:00.000000Z"),
    ApprovalStep("order:x", 3, Office.CITY, None, None, "c", None, ApprovalState.CURRENT, None, None, None, None, None),
)  # fmt: skip


def order(*lines: Line, flow: Flow = Flow.LOAN, purpose: str = "会议") -> Order:
    return Order(
        seq=7,
        id="order:x",
        flow=flow,
        state=State.LENT,
        applicant=Identity("clerk", BORROWER, "330105"),
        from_day=date(2026, 12, 2),
        to_day=date(2026, 12, 9),
        purpose=purpose,
        loan_id=None,
        accepts_partial=False,
        notice_until=None,
        overdue_stage=0,
        details={},
        command_id=None,
        settlement=Settlement.SETTLED,
        holds_expire_at=None,
        version=3,
        created_at="2026-12-01T01:00:00.000000Z",
        updated_at="2026-12-01T01:00:00.000000Z",
        lines=lines,
        approvals=STEPS,
        extensions=(),
    )


def sheet_of(made: Order, kind: Kind, by: Identity = CLERK) -> Sheet:
    return make_sheet(made, kind, by, load_policy(), NOW)


def pages_of(made: Order, kind: Kind, by: Identity = CLERK) -> list[str]:
    return texts_of(render_pdf(sheet_of(made, kind, by), CHECK, NOW))


def texts_of(content: bytes) -> list[str]:
    with PdfDocument(content) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def flat(pages: list[str]) -> str:
    return re.sub(r"\s", "", "".join(pages))


def test_an_application_says_who_what_when_and_who_decided() -> None:
    pages = pages_of(order(line(1), line(2, "会议桌", "3", "1234567.89")), Kind.APPLICATION)
    text = flat(pages)
    for said in ("公物仓借用申请单", "单号GWC2026000007", BORROWER, "拱墅区", "clerk", "2026-12-02至2026-12-08（含）", "会议",
                 "投影仪", "TY000001", "西湖区", "会议桌", "3台1,234,567.89", "1台3.33", "合计1,234,571.22",
                 "单位负责人", "同意", "2026-12-0110:00", "第1/1页", "打印于2026-12-0109:30"):  # fmt: skip
        assert said in text, said


def test_a_handover_counts_what_left_and_what_arrived() -> None:
    left = line(1, quantity="3", dispatched=Decimal(2), received=Decimal(1))
    text = flat(pages_of(order(left, line(2, "未出仓的桌子")), Kind.HANDOVER))
    assert "公物仓借用交接单" in text and "移交方（盖章）" in text and "接收方（盖章）" in text
    assert "321台6.67" in text
    assert "未出仓的桌子" not in text


def test_a_return_says_how_each_line_was_found() -> None:
    lines = (line(1, outcome=Outcome.PASSED), line(2, outcome=Outcome.COMPENSATION), line(3))
    text = flat(pages_of(order(*lines, flow=Flow.RETURN), Kind.RETURN))
    assert "公物仓归还单" in text and "归还方（盖章）" in text
    for said in ("TY0000011台合格", "TY0000021台赔偿", "TY0000031台待验收"):
        assert said in text, said


def test_people_are_named_by_the_rights_of_who_asks() -> None:
    clerk, lending = (flat(pages_of(order(line(1)), Kind.APPLICATION, by)) for by in (CLERK, LENDING))
    assert "申请人clerk" in clerk and "head" in clerk and "lending" not in clerk
    assert "申请人（不显示）" in lending and "lending" in lending and "head" not in lending
    nobody = flat(pages_of(order(line(1)), Kind.APPLICATION, RIVAL))
    assert not any(name in nobody for name in ("clerk", "head", "lending"))


def test_fifty_lines_go_over_pages_with_their_head() -> None:
    pages = pages_of(order(*(line(number, LONG[:70]) for number in range(1, 51))), Kind.APPLICATION)
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"第 {number} / {len(pages)} 页" in page
    with_goods = [page for page in pages if "TY0000" in page]
    assert all("资产标识" in page for page in with_goods)
    assert re.findall(r"TY(\d{6})", "".join(pages)) == [f"{number:06d}" for number in range(1, 51)]


def test_names_and_purposes_of_any_length_fit() -> None:
    pages = pages_of(order(line(1, LONG * 9), purpose=LONG * 3), Kind.APPLICATION)
    assert "……" in flat(pages)


@pytest.mark.parametrize(
    "name",
    [
        "\x00\x1b\u202e",
        "🙂👩‍👩‍👧",
        "ｱﾊﾟｰﾄ",
        "‮مستودع",
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        " " * 50,
    ],
)
def test_no_name_breaks_a_print(name: str) -> None:
    assert "TY000001" in flat(pages_of(order(line(1, name)), Kind.APPLICATION))


def test_rare_characters_are_set_or_named() -> None:
    text = flat(pages_of(order(line(1, "䶮氏𨭎管")), Kind.APPLICATION))
    assert "䶮氏〓管" in text
    assert "U+28B4E" in text


def test_a_value_that_is_missing_is_not_taken_for_nothing() -> None:
    text = flat(pages_of(order(line(1), line(2, value=None)), Kind.APPLICATION))
    assert "合计1条无价值" in text


def test_the_qr_code_says_where_the_paper_is_checked() -> None:
    """Read from the page as it is shown, like a phone does."""
    with PdfDocument(render_pdf(sheet_of(order(line(1)), Kind.APPLICATION), CHECK, NOW)) as document:
        shown = document[0].render(scale=2).to_pil()
    assert [one.text for one in zxingcpp.read_barcodes(shown)] == [CHECK]


def test_only_the_characters_in_use_are_embedded() -> None:
    """The whole font has eight megabytes."""
    assert len(render_pdf(sheet_of(order(line(1)), Kind.APPLICATION), CHECK, NOW)) < 80_000


def test_the_code_is_of_all_that_is_printed() -> None:
    made = sheet_of(order(line(1)), Kind.APPLICATION)
    others = [
        sheet_of(order(line(1, "另一台")), Kind.APPLICATION),
        sheet_of(order(line(1, quantity="2")), Kind.APPLICATION),
        sheet_of(order(line(1), purpose="别的"), Kind.APPLICATION),
        sheet_of(order(line(1)), Kind.APPLICATION, LENDING),
        make_sheet(order(line(1)), Kind.APPLICATION, CLERK, load_policy(), datetime(2026, 12, 1, 1, 31, tzinfo=UTC)),
    ]
    assert made.code == sheet_of(order(line(1)), Kind.APPLICATION).code
    assert len({made.code, *(other.code for other in others)}) == 6


def test_which_order_has_which_print() -> None:
    loan, lent, back = order(line(1)), order(line(1, dispatched=Decimal(1))), order(line(1), flow=Flow.RETURN)
    found = {name: [kind for kind in Kind if has_print(made, kind)] for name, made in
             (("loan", loan), ("lent", lent), ("back", back))}  # fmt: skip
    assert found == {"loan": [Kind.APPLICATION], "lent": [Kind.APPLICATION, Kind.HANDOVER], "back": [Kind.RETURN]}
