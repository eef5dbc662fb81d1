"""Why a command is refused that only some flows have."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["FLOWS"]

FLOWS: dict[str, Words] = {
    "RECEIVER_IS_OWNER": Words(
        "调入方就是权属方。",
        "The receiver is the owner already.",
        "选择其他单位的资产。",
        "Choose another unit's asset.",
    ),
    "OVER_QUOTA": Words(
        "超出本单位的配置标准，至多还可调入 {max}。",
        "This is over your unit's quota; it may take {max} more.",
        "减少数量。",
        "Ask for less.",
    ),
    "TITLE_NOT_CLEAR": Words(
        "权属不清的资产不能上缴（{clause}）。",
        "Only assets whose title is clear are surrendered ({clause}).",
        "先理清权属。",
        "Clear the title first.",
    ),
    "IDLE_TOO_SHORT": Words(
        "闲置须满 {months} 个月方可上缴。",
        "An asset must have been idle for {months} months.",
        "核对闲置起始日，或待期满。",
        "Check since when it is idle, or wait.",
    ),
    "BODY_NOT_ENDED": Words(
        "临时机构尚未撤销。",
        "The temporary body has not ended.",
        "填写已过的撤销日期。",
        "Give the day on which it ended.",
    ),
    "NOT_OWN_ASSET": Words(
        "不是本单位（或本区在管）的资产。",
        "This is not an asset of your unit, nor one that you keep.",
        "选择本单位的资产。",
        "Choose an asset of your unit.",
    ),
    "INVALID_AMOUNT": Words(
        "金额须大于 0、至多两位小数，且不超过 {max} 元。",
        "An amount is more than 0, has at most two decimals, and is at most {max} yuan.",
        "更正金额。",
        "Correct the amount.",
    ),
    "REPAIR_ASKED": Words(
        "此条归还明细已有维修单。",
        "There is a repair for this line of the return already.",
        "查看该维修单。",
        "Look at that repair.",
    ),
    "BEYOND_REPAIR": Words(
        "资产“{id}”不可修。",
        "{id} is beyond repair.",
        "请办理处置。",
        "Apply for its disposal.",
    ),
    "VALUE_UNKNOWN": Words(
        "资产“{id}”没有原值，无法核对维修费用。",
        "{id} has no value to compare the repair's cost with.",
        "填写重置价值。",
        "Give the replacement's value.",
    ),
    "REPAIR_TOO_DEAR": Words(
        "维修费用超过上限 {max} 元。",
        "A repair may cost at most {max} yuan.",
        "请办理处置。",
        "Apply for its disposal.",
    ),
    "LIFE_NOT_REACHED": Words(
        "资产“{id}”未达使用年限，也未经鉴定。",
        "The life of {id} is not over, and nobody has appraised it.",
        "填写鉴定意见。",
        "Give what an appraisal found.",
    ),
    "STILL_WORKS": Words(
        "资产“{id}”仍可使用，不得报废。",
        "{id} still works and is not scrapped.",
        "请办理调剂或捐赠。",
        "Reallocate or donate it.",
    ),
    "INVALID_OUTCOME": Words(
        "此处的结果只能是：{outcomes}。",
        "The outcome can only be one of {outcomes} here.",
        "更正结果。",
        "Correct the outcome.",
    ),
    "COST_OVER_ESTIMATE": Words(
        "维修费用须大于 0，且不超过批准的估价 {max} 元。",
        "The cost is more than 0 and at most the approved estimate of {max} yuan.",
        "按转报废处理，或重新申请。",
        "Give it up as scrap, or apply anew.",
    ),
    "TOO_MANY_EXTENSIONS": Words(
        "续借不得超过 {max} 次。",
        "A loan is extended at most {max} times.",
        "请先归还。",
        "Return the goods first.",
    ),
    "NO_AMOUNT": Words(
        "尚未提出赔偿金额。",
        "No amount has been proposed yet.",
        "待权属区提出金额。",
        "Wait for the owner's region to propose it.",
    ),
    "NOT_AGREED": Words(
        "借用单位尚未同意赔偿金额。",
        "The borrower's unit has not agreed to the amount.",
        "待其同意后再登记。",
        "Wait for its agreement.",
    ),
}
