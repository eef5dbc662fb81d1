"""What a finding may show: keys and values, cut; never a person, never half a character."""

from __future__ import annotations

from adapters.kit.conformance import Findings, Verdict
from adapters.kit.conformance.report import EVIDENCE_MAX


def test_a_personal_value_is_not_shown() -> None:
    findings = Findings()
    findings.add("a row's value", key="A1", field="keeper", expected="张伟", found="王芳")
    assert "张伟" not in str(findings)
    assert "王芳" not in str(findings)
    assert findings.evidence[0].key == "A1"


def test_values_are_cut_and_can_be_printed() -> None:
    findings = Findings()
    findings.add("a row's text", expected="x" * 500, found="\ud800")
    assert len(findings.evidence[0].expected or "") <= 60
    assert findings.evidence[0].found == "\\ud800"


def test_all_findings_are_counted_and_the_first_are_shown() -> None:
    findings = Findings()
    for number in range(EVIDENCE_MAX * 3):
        findings.add("a page", found=number)
    assert (findings.count, len(findings.evidence)) == (EVIDENCE_MAX * 3, EVIDENCE_MAX)


def test_a_failure_outweighs_advice_and_silence() -> None:
    assert Findings().verdict is Verdict.PASS
    assert Findings(advice=["do"]).verdict is Verdict.ADVICE
    assert Findings(skipped="why").verdict is Verdict.SKIPPED
    findings = Findings(advice=["do"], skipped="why")
    findings.add("x")
    assert findings.verdict is Verdict.FAIL
