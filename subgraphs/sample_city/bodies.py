"""The public bodies of a region, their people, rooms and warehouses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from contract.regions import REGIONS
from contract.uscc import ALPHABET, check_character, is_valid_uscc

__all__ = ["GIVEN_NAMES", "STREETS", "SURNAMES", "Unit", "Warehouse", "make_units", "make_warehouses"]

_OFFICES = (
    "财政局", "机关事务服务中心", "教育局", "卫生健康局", "住房和城乡建设局", "自然资源和规划分局", "民政局", "司法局",
    "文化和广电旅游体育局", "市场监督管理局", "档案馆", "第一中学", "人民医院", "图书馆", "综合行政执法局", "大数据管理服务中心",
)  # fmt: skip
_INSTITUTIONS = frozenset({"机关事务服务中心", "档案馆", "第一中学", "人民医院", "图书馆", "大数据管理服务中心"})
"""Bodies of the kind 事业单位, whose USCC begins with 12; the others are 机关 (11)."""
_UNIT_COUNTS = {"330106": 16, "330127": 5, "330122": 8}
_UNIT_COUNT_DEFAULT = 12

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN_NAMES = (
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀兰", "霞", "平",
    "刚", "桂英", "建国", "志强", "海燕", "晓东", "雪梅", "国华", "俊杰", "思远", "雨欣", "子涵", "文博", "立新", "金凤", "永康",
)  # fmt: skip
STREETS = {
    "330100": "环城北路", "330102": "凯旋路", "330105": "台州路", "330106": "文三路", "330108": "江南大道", "330109": "市心中路",
    "330110": "文一西路", "330111": "桂花路", "330112": "锦城街", "330113": "南苑街", "330114": "青西三路", "330122": "迎春南路",
    "330127": "新安大街", "330182": "新安路",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    index: int
    name: str
    uscc: str
    """As the vendor's table has it; the last unit's is mistyped."""

    @property
    def valid_uscc(self) -> str | None:
        return self.uscc if is_valid_uscc(self.uscc) else None


@dataclass(frozen=True, slots=True)
class Warehouse:
    index: int
    name: str
    physical: bool
    address: str


def make_units(region: str, rng: Random) -> list[Unit]:
    place = REGIONS[region][0].removesuffix("本级")
    count = _UNIT_COUNTS.get(region, _UNIT_COUNT_DEFAULT)
    units = []
    for index, office in enumerate(_OFFICES[:count]):
        body = ("12" if office in _INSTITUTIONS else "11") + region + "".join(rng.choices(ALPHABET, k=9))
        code = body + check_character(body)
        if index == count - 1:
            code = body + ALPHABET[(ALPHABET.index(code[17]) + 1) % len(ALPHABET)]
        units.append(Unit(index, place + office, code))
    return units


def make_warehouses(region: str, units: list[Unit]) -> list[Warehouse]:
    """One physical store a region, as the city has, and the rooms of a few bodies."""
    place = REGIONS[region][0].removesuffix("本级")
    street = STREETS[region]
    rooms = [
        Warehouse(unit.index + 1, f"{unit.name}自管库房", False, f"{street}{18 + 7 * unit.index}号")
        for unit in units[:4]
    ]
    return [Warehouse(0, f"{place}公物仓", True, f"{street}1号"), *rooms]
