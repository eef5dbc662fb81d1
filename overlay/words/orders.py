"""Why a command on an order is refused: policy, the assets and their stores, the order's state."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["ORDERS"]

ORDERS: dict[str, Words] = {
    # policy
    "LOAN_TOO_FAR_AHEAD": Words(
        "借用须在 {max} 天之内开始。",
        "A loan begins at most {max} days from today.",
        "提前起始日，或临近时再申请。",
        "Let it begin earlier, or apply nearer to the day.",
    ),
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
    "GOODS_UNDER_WAY": Words(
        "资产“{id}”的来货尚未入账。",
        "It is not recorded yet that goods of {id} have come.",
        "稍后重试。",
        "Try again later.",
        transient=True,
    ),
    "STOCK_SHORT": Words(
        "资产“{id}”后来有遗失或损坏：尚待出仓 {quantity}，其中 {short} 已无货可出。",
        "Goods of {id} were lost or damaged since: of {quantity} that are still to leave, {short} are not there any more.",
        "审批中可退回更正；已批准的，可放弃所缺部分（giveUpRest），全缺则撤回。先申请者优先。",
        "In approval, return it for correction; once approved, give up what is missing (giveUpRest), or withdraw it where all is. Who applied first is served first.",
    ),
    "HOLD_LAPSING": Words(
        "预留将于 {at}（北京时间）到期；届时未推进，此单即过期。",
        "The holds lapse at {at} (Beijing time); unless the order has moved on by then, it expires.",
        "请尽快办理。",
        "Do what the order waits for.",
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
        "请办理归还；未出仓的可放弃剩余。",
        "Return the goods instead, and give up what has not left.",
    ),
    "NOTHING_HAS_LEFT": Words(
        "物品尚未出仓，没有“剩余”可放弃。",
        "Nothing has left yet, so there is no rest to give up.",
        "由申请方撤回此单。",
        "Let the applicant withdraw the order.",
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
}
