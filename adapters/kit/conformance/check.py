"""One check: its name, what holds where it passes, how it looks, what to do where it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from adapters.kit.conformance.report import CheckResult, Evidence, Findings, Verdict
from adapters.kit.conformance.subject import Subject
from adapters.model import StoreUnavailable, StoreUnsupported

__all__ = ["Check", "Look"]

Look = Callable[[Subject], Awaitable[Findings]]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    meaning: str
    look: Look
    remedy: str

    async def result(self, subject: Subject) -> CheckResult:
        """Raises `StoreUnavailable`: a store that does not answer is not judged. All else that it raises is a finding."""
        try:
            findings = await self.look(subject)
        except StoreUnavailable:
            raise
        except StoreUnsupported as error:
            findings = Findings()
            findings.add("the store refuses what every store must do", found=str(error))
        except Exception as error:  # an adapter under test may fail in any way; its message may hold anything
            findings = Findings()
            findings.add("the adapter failed", expected="an answer, or a StoreError", found=type(error).__name__)
        findings.evidence = [_without_secrets(one, subject) for one in findings.evidence]
        return self._judged(findings)

    def _judged(self, findings: Findings) -> CheckResult:
        verdict = findings.verdict
        summary, remedy = findings.looked_at, None
        if verdict is Verdict.FAIL:
            found = "1 finding" if findings.count == 1 else f"{findings.count} findings"
            summary, remedy = f"{found}; looked at {summary}" if summary else found, self.remedy
        elif verdict is Verdict.ADVICE:
            remedy = " ".join(findings.advice)
        elif verdict is Verdict.SKIPPED:
            summary = findings.skipped or ""
        return CheckResult(self.name, self.meaning, verdict, summary, tuple(findings.evidence), findings.count, remedy)


_HIDDEN = "(not shown)"


def _without_secrets(evidence: Evidence, subject: Subject) -> Evidence:
    """Of a row that the mapping neither lists nor quarantines nothing is shown: it may be secret."""
    if evidence.key is None or subject.may_be_shown(evidence.key):
        return evidence
    return replace(evidence, key=_HIDDEN, expected=evidence.expected and _HIDDEN, found=evidence.found and _HIDDEN)
