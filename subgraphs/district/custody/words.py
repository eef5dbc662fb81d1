"""What the book says when it refuses: a code, where, and words in Chinese and English with the remedy.

A refusal is kept as code, path and parameters, and put into words when it is answered, so that a repeated command
gives the first result in the language of whoever repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from subgraphs.kit.caller import Language

__all__ = ["Refusal", "in_words"]


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    path: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


class Words(NamedTuple):
    zh: str
    remedy_zh: str
    en: str
    remedy_en: str


def in_words(refusal: Refusal, language: Language) -> dict[str, Any]:
    """The contract's `Problem`."""
    words = WORDS[refusal.code]
    message, remedy = (words.zh, words.remedy_zh) if language == "zh" else (words.en, words.remedy_en)
    return {
        "code": refusal.code,
        "path": list(refusal.path),
        "message": message.format_map(refusal.parameters),
        "remedy": remedy.format_map(refusal.parameters),
    }


WORDS: dict[str, Words] = {
    "UNKNOWN_ASSET": Words(
        "本区没有这件资产。", "核对资产标识。",
        "This region has no such asset.", "Check the asset's id.",
    ),
    "NOT_SHAREABLE": Words(
        "该资产在所求时段内不可共享。", "另选资产，或由权属单位开放共享。",
        "The asset is not shareable throughout that range.", "Choose another asset, or ask its owner to share it.",
    ),
    "NOT_AVAILABLE": Words(
        "该资产已处置或丢失。", "另选资产。",
        "The asset has been disposed of or is lost.", "Choose another asset.",
    ),
    "VERSION_CHANGED": Words(
        "资产信息已变化，现为版本 {version}。", "查看最新信息后重新提交。",
        "The asset has changed; it is at version {version} now.", "Look at it again and resubmit.",
    ),
    "INVALID_RANGE": Words(
        "时段无效：结束日须晚于起始日，起始日不早于今天（{today}），至多 {days} 天。", "更正时段。",
        "The range is not valid: it must end after it begins, not begin before today ({today}), and have at most "
        "{days} days.", "Correct the range.",
    ),
    "INVALID_QUANTITY": Words(
        "数量须大于零。", "更正数量。",
        "The quantity must be above zero.", "Correct the quantity.",
    ),
    "INVALID_LIFE": Words(
        "有效秒数须在 1 至 {seconds} 之间。", "更正有效秒数。",
        "The hold must last 1 to {seconds} seconds.", "Correct `lifeSeconds`.",
    ),
    "QUANTITY_EXCEEDED": Words(
        "数量超出：至多 {most}。", "减少数量。",
        "The quantity is too large: at most {most}.", "Ask for less.",
    ),
    "ASSET_BUSY": Words(
        "该时段内资产已被占用，尚可预留 {free}。", "改换时段、减少数量或另选资产。",
        "The asset is busy within that range; {free} can be held.", "Change the range, ask for less, or choose another.",
    ),
    "UNKNOWN_HOLD": Words(
        "该资产没有这项预留。", "核对预留标识。",
        "The asset has no such hold.", "Check the hold's id.",
    ),
    "HOLD_EXPIRED": Words(
        "预留已过期。", "重新预留。",
        "The hold has lapsed.", "Place a new hold.",
    ),
    "HOLD_RELEASED": Words(
        "预留已释放。", "重新预留。",
        "The hold was released.", "Place a new hold.",
    ),
    "HOLD_DISPATCHED": Words(
        "货物已按此预留出仓，尚有 {out} 未归还。", "先记录归还。",
        "Goods have left on this hold; {out} are still out.", "Record their return first.",
    ),
    "NOT_DISPATCHED": Words(
        "货物尚未出仓。", "先记录出仓。",
        "No goods have left on this hold.", "Record the dispatch first.",
    ),
    "INVALID_BUFFER": Words(
        "间隔天数须在 0 至 {days} 之间。", "更正间隔天数。",
        "The days between holds must be 0 to {days}.", "Correct `bufferDays`.",
    ),
    "NOT_LATER": Words(
        "新的结束日须晚于原来的 {to}。", "更正结束日。",
        "The new day must be later than {to}.", "Correct the day.",
    ),
    "INVALID_CARD": Words(
        "这不是调入卡片的标识。", "核对新卡片的标识。",
        "That is no id of a successor card.", "Check the card's id.",
    ),
    "CARD_EXISTS": Words(
        "该标识的卡片已经存在。", "核对新卡片的标识。",
        "There is a card of that id already.", "Check the card's id.",
    ),
    "UNKNOWN_UNIT": Words(
        "本区没有这个单位。", "核对接收单位的标识或信用代码。",
        "This region has no such unit.", "Check the receiving unit's id or USCC.",
    ),
    "UNKNOWN_WAREHOUSE": Words(
        "本区没有这个仓库。", "核对仓库标识。",
        "This region has no such warehouse.", "Check the warehouse's id.",
    ),
    "IDEMPOTENCY_KEY_REUSED": Words(
        "幂等键已用于另一命令。", "每个命令使用新的幂等键。",
        "The idempotency key was used for another command.", "Use a new key for each command.",
    ),
    "INVALID_IDEMPOTENCY_KEY": Words(
        "幂等键须为 1 至 {length} 个字符。", "更正幂等键。",
        "An idempotency key has 1 to {length} characters.", "Correct the key.",
    ),
}  # fmt: skip
