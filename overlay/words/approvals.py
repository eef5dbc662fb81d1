"""Lent offices; lines by class and quantity."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["APPROVALS"]

APPROVALS: dict[str, Words] = {
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
        "明细须给出资产，或给出所需（分类和数量），二者取一；数量和版本不与所需并列。",
        "A line names either an asset, or a want: a class and a quantity. No quantity or version stands beside a want.",
        "补充或删去其一。",
        "Give the one or the other; the quantity belongs into the want.",
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
}
