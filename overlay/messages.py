"""What the overlay says when it refuses: one table of codes, in Chinese and English, with the remedy.

A refusal is stored as code, path and parameters, and put into words only when it is answered, so that a repeated
command answers the first result in the language of whoever asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overlay.paper_words import PAPER_WORDS
from overlay.wording import Words

__all__ = ["OWNER_CODES", "Language", "Problem", "RenderedProblem", "problem", "render"]

Language = str
"""`zh` or `en`."""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    path: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    """Words of another party (an owner's custody book), passed on as they came."""
    remedy: str | None = None

    @property
    def transient(self) -> bool:
        return self.code in WORDS and WORDS[self.code].transient

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "path": list(self.path),
            "params": dict(self.params),
            "message": self.message,
            "remedy": self.remedy,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Problem:
        return Problem(data["code"], tuple(data["path"]), data["params"], data.get("message"), data.get("remedy"))


@dataclass(frozen=True, slots=True)
class RenderedProblem:
    code: str
    path: list[str]
    message: str
    remedy: str | None


def problem(code: str, *path: str, **params: str) -> Problem:
    if code not in WORDS:
        raise KeyError(f"the code {code} has no words")
    return Problem(code, path, params)


def render(item: Problem, language: Language) -> RenderedProblem:
    words = WORDS.get(item.code)
    if words is None or item.message is not None:
        return RenderedProblem(item.code, list(item.path), item.message or item.code, item.remedy)
    message, remedy, params = words.en, words.remedy_en, item.params
    if language == "zh":
        message, remedy = words.zh, words.remedy_zh
        params = {name: _NAMES_ZH.get(value, value) for name, value in params.items()}
    return RenderedProblem(item.code, list(item.path), message.format_map(params), remedy.format_map(params))


_NAMES_ZH = {
    "DRAFT": "草稿",
    "IN_APPROVAL": "审批中",
    "APPROVED": "已批准",
    "TO_DISPATCH": "待出仓",
    "IN_TRANSIT": "在途",
    "LENT": "借出",
    "RETURNING": "归还中",
    "TO_INSPECT": "待验收",
    "DONE": "完成",
    "RETURNED": "退回",
    "REJECTED": "驳回",
    "WITHDRAWN": "撤回",
    "EXPIRED": "过期",
    "RECONCILE": "核对台账",
    "EXPORT_LEDGER": "导出台账",
    "APPLY": "申请",
    "APPROVE": "审批",
    "REJECT": "驳回",
    "RETURN_FOR_CORRECTION": "退回更正",
    "RESUBMIT": "重新提交",
    "WITHDRAW": "撤回",
    "DISPATCH": "出仓",
    "RECEIVE": "接收",
    "RETURN_GOODS": "归还",
    "INSPECT": "验收",
    "CREATE": "建立虚拟仓",
    "LEND_OFFICE": "委托",
    "CHANGE": "变更虚拟仓",
    "RETIRE": "停用虚拟仓",
    "WEBHOOKS": "管理推送",
    # flows
    "PUBLIC_NOTICE": "公示中",
    "TO_RECEIVE": "待接收",
    "EXTENDING": "续借审批中",
    "TO_APPRAISE": "待鉴定",
    "TO_STORE": "待入仓",
    "TO_DIAGNOSE": "待检测",
    "UNDER_REPAIR": "维修中",
    "TO_COMPENSATE": "待赔偿",
    "TO_EXECUTE": "待执行",
    "TO_WRITE_OFF": "待核销",
    "STOPPED": "终止",
    "SENT_BACK": "已退回权属方",
    "EXTEND": "续借",
    "ARRIVE": "到货登记",
    "RETURN_TO_OWNER": "退回权属方",
    "PROPOSE_COMPENSATION": "提出赔偿金额",
    "AGREE_COMPENSATION": "同意赔偿",
    "SETTLE_COMPENSATION": "登记赔偿到账",
    "APPRAISE": "鉴定",
    "STORE": "入仓",
    "DIAGNOSE": "检测",
    "FINISH_REPAIR": "维修完成",
    "OBJECT": "提出异议",
    "STOP": "终止公示",
    "CLOSE_NOTICE": "公示期满",
    "EXECUTE": "执行",
    "WRITE_OFF": "核销",
}
"""States and commands as clerks call them."""

OWNER_CODES = frozenset({"ASSET_BUSY", "HOLD_EXPIRED", "VERSION_CHANGED", "NOT_SHAREABLE"})
"""Refusals of an owner's custody book that have words here, so that each reader has them in their own language."""

WORDS: dict[str, Words] = {
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
    # policy
    "LOAN_TOO_LONG": Words(
        "借用不得超过 {max} 天（{clause}）。",
        "A loan lasts at most {max} days ({clause}).",
        "缩短时段。",
        "Shorten the range.",
    ),
    "OWN_ASSET": Words(
        "本单位的资产无需借用。",
        "Your unit need not borrow its own asset.",
        "选择其他单位的资产。",
        "Choose another unit's asset.",
    ),
    # assets and stores
    "ASSET_NOT_AVAILABLE": Words(
        "没有可借用的资产“{id}”：不存在、不可共享，或状态不允许。",
        "{id} cannot be borrowed: there is no such asset, it is not shareable, or its status does not allow it.",
        "另选资产。",
        "Choose another asset.",
    ),
    "ASSET_CHANGED": Words(
        "资产“{id}”在申请之后有变更。",
        "{id} has changed since it was applied for.",
        "退回更正，核对后重新提交。",
        "Return the order for correction and submit it again.",
    ),
    "REGION_UNAVAILABLE": Words(
        "权属区 {region} 的系统暂时没有应答，未作任何变更。",
        "The store of region {region} does not answer; nothing was changed.",
        "稍后以同一幂等键重试。",
        "Try again later with the same idempotency key.",
        transient=True,
    ),
    "OUTCOME_UNKNOWN": Words(
        "权属区尚未确认，系统正在核对。",
        "The owner's region has not confirmed yet; the system is reconciling it.",
        "稍后查看此单，或以同一幂等键再问。",
        "Look at the order later, or ask again with the same idempotency key.",
    ),
    "STORE_ERROR": Words(
        "权属区的系统拒绝了请求（{detail}）。",
        "The owner's store refused the request ({detail}).",
        "请联系该区管理员。",
        "Ask that region's administrator.",
    ),
    "ASSET_BUSY": Words(
        "资产“{id}”在此时段已被占用。",
        "{id} is taken in this range.",
        "换一个时段或另选资产。",
        "Choose another range or another asset.",
    ),
    "HOLD_EXPIRED": Words("资产“{id}”的预留已过期。", "The hold on {id} has lapsed.", "重新申请。", "Apply again."),
    "VERSION_CHANGED": Words(
        "资产“{id}”的信息已变化。",
        "{id} has changed since you looked at it.",
        "查看最新信息后重新申请。",
        "Look at it again, then apply anew.",
    ),
    "NOT_SHAREABLE": Words(
        "资产“{id}”在所求时段内不可共享。",
        "{id} is not shareable throughout that range.",
        "另选资产，或由权属单位开放共享。",
        "Choose another asset, or ask its owner to share it.",
    ),
    "GOODS_DAMAGED": Words(
        "资产“{id}”有 {damaged} 件损坏待修，现可借出 {free}。",
        "Of {id}, {damaged} came back damaged and wait for repair; {free} can be lent.",
        "减少数量或另选资产。",
        "Ask for less, or choose another asset.",
    ),
    # the order's state
    "NOT_ALLOWED_IN_STATE": Words(
        "“{state}”状态下不能执行“{command}”。",
        "{command} is not possible in state {state}.",
        "查看此单的 allowed 字段。",
        "See the order's `allowed` field.",
    ),
    "GOODS_HAVE_MOVED": Words(
        "物品已经出仓，不能撤回。",
        "Goods have left already; the order cannot be withdrawn.",
        "请办理归还。",
        "Return the goods instead.",
    ),
    "COMMAND_IN_PROGRESS": Words(
        "此单上一个命令还在落实。",
        "The order's last command is still being settled.",
        "稍后重试。",
        "Try again later.",
        transient=True,
    ),
    "ORDER_CHANGED": Words(
        "此单刚被他人变更。",
        "Somebody else has just changed the order.",
        "重新查看后再试。",
        "Look at it again, then repeat the command.",
        transient=True,
    ),
    # approvals: lent offices
    "NOT_DELEGATED": Words(
        "该人员没有把职权委托给您，或委托已到期。",
        "That person has not lent you their office, or not for today.",
        "请其重新委托，或由其本人办理。",
        "Ask them to lend it, or to decide themselves.",
        transient=True,
    ),
    "DELEGATION_NOT_FOUND": Words(
        "没有您给出的这项委托，或它已撤销。",
        "You have lent no such office, or have revoked it already.",
        "请核对标识。",
        "Check the id.",
    ),
    "DELEGATION_TOO_LONG": Words(
        "一次委托不得超过 {max} 天。",
        "An office is lent for at most {max} days at a time.",
        "缩短时段，到期可再委托。",
        "Shorten the range; it may be lent again.",
    ),
    "INVALID_DELEGATE": Words(
        "须填写他人作为受托人。", "Name another person as the delegate.", "更正受托人。", "Correct the delegate."
    ),
    # sourcing: a line by class and quantity
    "LINE_UNCLEAR": Words(
        "明细须给出资产，或给出分类和数量，二者取一。",
        "A line names either an asset, or a class and a quantity.",
        "补充或删去其一。",
        "Give the one or the other.",
    ),
    "INVALID_CLASS": Words(
        "“{given}”不是 2022 版分类代码（A 与 2 至 8 位数字）。",
        "{given} is no class of the 2022 scheme (A and 2 to 8 digits).",
        "更正分类代码。",
        "Correct the class code.",
    ),
    "NOT_ENOUGH": Words(
        "此时段内只能找到 {found}，所需为 {wanted}。",
        "Only {found} of the {wanted} wanted are to be had in this range.",
        "减少数量、换一个时段，或接受部分满足。",
        "Ask for less or for another range, or accept a part.",
        transient=True,
    ),
    # virtual warehouses
    "WAREHOUSE_NOT_FOUND": Words(
        "没有虚拟仓“{id}”，或您无权查看。",
        "There is no virtual warehouse {id}, or you may not see it.",
        "请核对标识。",
        "Check the id.",
    ),
    "RULE_EMPTY": Words(
        "规则为空：须给出条件或所引用的虚拟仓。",
        "The rule is empty: give a filter or other virtual warehouses.",
        "补充规则。",
        "Complete the rule.",
    ),
    "RULE_TOO_LARGE": Words(
        "规则过大（至多 {max} 个条件，嵌套至多 {depth} 层）。",
        "The rule is too large (at most {max} conditions, nested at most {depth} deep).",
        "简化规则。",
        "Simplify the rule.",
    ),
    "SCOPE_TOO_WIDE": Words(
        "您的角色不能以此范围共享。",
        "Your role may not share this widely.",
        "缩小范围，或请上级建立。",
        "Narrow the scope, or ask an officer.",
    ),
    "WAREHOUSE_BUILT_IN": Words(
        "系统内置的虚拟仓不能变更或停用。",
        "A built-in virtual warehouse is neither changed nor retired.",
        "另建一个，以它为基础。",
        "Make another that builds on it.",
    ),
    "WAREHOUSE_CHANGED": Words(
        "此虚拟仓已是第 {version} 版，不是您看到的那一版。",
        "The virtual warehouse is at version {version} by now, not at the one you saw.",
        "重新查看后再变更。",
        "Look at it again, then repeat the change.",
    ),
    "RULE_CIRCULAR": Words(
        "规则会绕回自身：所引用的虚拟仓“{id}”以此虚拟仓为基础。",
        "The rule would lead back to itself: {id} builds on this virtual warehouse.",
        "去掉这个引用。",
        "Leave that reference out.",
    ),
    "DEPENDENT_TOO_LARGE": Words(
        "变更后，以它为基础的虚拟仓会过大（至多 {max} 个条件，嵌套至多 {depth} 层）。",
        "A virtual warehouse that builds on it would become too large (at most {max} conditions, nested at most {depth} deep).",
        "简化规则。",
        "Simplify the rule.",
    ),
    "WAREHOUSE_IN_USE": Words(
        "另有 {count} 个虚拟仓以它为基础（您可见的：{names}）。",
        "{count} other virtual warehouses build on it (those you may see: {names}).",
        "先变更那些虚拟仓。",
        "Change those first.",
    ),
    # files, prints and webhooks
    **PAPER_WORDS,
    # flows
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
