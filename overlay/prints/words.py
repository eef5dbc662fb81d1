"""The words of official papers for the vocabulary of orders. What has no word here is printed by its code."""

from __future__ import annotations

KINDS = {"APPLICATION": "公物仓{flow}申请单", "HANDOVER": "公物仓{flow}交接单", "RETURN": "公物仓归还单"}
FLOWS = {
    "LOAN": "借用",
    "RETURN": "归还",
    "SURRENDER": "上缴",
    "REALLOCATION": "调剂",
    "REPAIR": "维修",
    "DISPOSAL": "处置",
    "DONATION": "捐赠",
}
OFFICES = {
    "UNIT_HEAD": "单位负责人",
    "OWNER_UNIT": "权属单位负责人",
    "LENDING_REGION": "权属区主管",
    "BORROWING_REGION": "借用区主管",
    "DEPARTMENT": "主管部门",
    "WAREHOUSE": "公物仓管理员",
    "LENDING_FINANCE": "权属区财政",
    "BORROWING_FINANCE": "接收区财政",
    "CITY": "市级主管",
    "GOVERNMENT": "政府批复",
}
APPROVAL_STATES = {
    "WAITING": "待审",
    "CURRENT": "审批中",
    "APPROVED": "同意",
    "REJECTED": "驳回",
    "RETURNED": "退回更正",
}
OUTCOMES = {
    "PASSED": "合格",
    "NEEDS_REPAIR": "待修",
    "COMPENSATION": "赔偿",
    "REFUSED": "拒收",
    "LOST": "丢失",
    "SCRAP": "报废",
}
