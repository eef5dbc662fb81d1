"""What every command may be refused for: who asks, what was sent, whether it is there."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["COUNTER"]

COUNTER: dict[str, Words] = {
    # who asks
    "SIGN_IN_REQUIRED": Words(
        "请先登录。", "Sign in first.", "携带访问令牌再试。", "Send an access token.", transient=True
    ),
    "FORBIDDEN": Words(
        "您的角色无权执行“{command}”。",
        "Your role may not carry out {command} here.",
        "请由有权的经办人办理：{roles}。",
        "Ask somebody who may: {roles}.",
    ),
    "OWN_ORDER": Words(
        "不得审批本人提交的流转单。",
        "Nobody approves their own order.",
        "请由他人审批。",
        "Let another officer decide.",
    ),
    "NOT_FOUND": Words(
        "没有这张流转单，或您无权查看。",
        "There is no such order, or you may not see it.",
        "请核对标识。",
        "Check the id.",
    ),
    # what was sent
    "INVALID_KEY": Words(
        "幂等键须为 1 至 128 个可见字符。",
        "An idempotency key has 1 to 128 visible characters.",
        "每个命令用一个新的随机键，例如 UUID。",
        "Use a new random key, such as a UUID, for each command.",
        transient=True,
    ),
    "IDEMPOTENCY_KEY_REUSED": Words(
        "此幂等键已用于另一个命令或另一份输入。",
        "This idempotency key was used for another command or input.",
        "换一个新键。",
        "Use a new key.",
        transient=True,
    ),
    "INVALID_RANGE": Words(
        "时段 [{from}, {to}) 不成立：须先后有序且不早于今日。",
        "The range [{from}, {to}) is not one: it must run forward and not start before today.",
        "更正起止日期。",
        "Correct the days.",
    ),
    "INVALID_TEXT": Words(
        "须填写 1 至 {max} 个字符。", "Write 1 to {max} characters.", "更正此项。", "Correct this field."
    ),
    "INVALID_QUANTITY": Words(
        "数量须大于 0，且不超过 {max}。",
        "A quantity is more than 0 and at most {max}.",
        "更正数量。",
        "Correct the quantity.",
    ),
    "INVALID_ASSET_ID": Words(
        "“{id}”不是资产标识。", "{id!s} is not an asset's id.", "使用资产的 id 字段。", "Use an asset's `id` field."
    ),
    "TOO_MANY_LINES": Words(
        "明细须为 1 至 {max} 条。", "An order has 1 to {max} lines.", "分单申请。", "Split the order."
    ),
    "DUPLICATE_LINE": Words("同一项出现了两次。", "The same item is named twice.", "合并为一条。", "Merge the two."),
    "UNKNOWN_LINE": Words(
        "此单没有这条明细，或它不在您的区内。",
        "The order has no such line, or it is not in your region.",
        "使用本单明细的 id。",
        "Use the ids of the order's own lines.",
    ),
    "NOTHING_TO_DO": Words(
        "没有可办理的数量。", "There is nothing left to do.", "核对各明细的数量。", "Check the quantities of the lines."
    ),
}
