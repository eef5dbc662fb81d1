"""Virtual warehouses."""

from __future__ import annotations

from overlay.words.shape import Words

__all__ = ["WAREHOUSES"]

WAREHOUSES: dict[str, Words] = {
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
}
