"""Temporary bodies."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["BODIES"]

BODIES: dict[str, Words] = {
    "BODY_NOT_FOUND": Words(
        "本单位没有这个临时机构。",
        "Your unit has no such temporary body.",
        "请核对标识，或先登记。",
        "Check the id, or register it first.",
    ),
    "BODY_ENDS_BEFORE": Words(
        "该临时机构自 {end} 起撤销，借用须在此前归还。",
        "The temporary body is gone from {end} on; its loans end before.",
        "缩短时段。",
        "Shorten the range.",
    ),
    "INVALID_LAST_DAY": Words(
        "最后一天不得早于今日，提前撤销须早于原定最后一天，且存续不超过五年。",
        "The last day is today or later, earlier than the one it had when it is ended early, and within five years.",
        "更正最后一天。",
        "Correct the last day.",
    ),
}
