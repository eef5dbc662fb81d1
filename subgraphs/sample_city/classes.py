"""Asset classes in the three generations of GB/T 14885, and what public bodies buy in each of them.

The generations share code texts with different meanings, so a code is only ever written together with its scheme.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["OTHER_CLASS_NAME", "PRODUCTS", "UNPLACED_CODES", "AssetClass", "Product", "Scheme", "classes"]

Scheme = Literal["1994", "2010", "2022"]

UNPLACED_CODES: dict[Scheme, str] = {"1994": "799999", "2010": "A02019900", "2022": "A02999999"}
"""Codes that stand in no table of ours: what a mapping cannot translate."""
OTHER_CLASS_NAME = "其他设备"


@dataclass(frozen=True, slots=True)
class AssetClass:
    key: str
    codes: dict[Scheme, str]
    names: dict[Scheme, str]


@cache
def classes() -> dict[str, AssetClass]:
    with (Path(__file__).parent / "classes.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["key"]: AssetClass(
                row["key"],
                {"1994": row["code1994"], "2010": row["code2010"], "2022": row["code2022"]},
                {"1994": row["name1994"], "2010": row["name2010"], "2022": row["name2022"]},
            )
            for row in csv.DictReader(file)
        }


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that public bodies buy. Prices in yuan; the weight is how often it is bought."""

    class_key: str
    brand: str
    model: str
    name: str
    specification: str
    price_min: int
    price_max: int
    life_months: int
    measure: str
    mass_kg: str
    weight: int
    batch: bool = False
    """Bought by the dozen on one card."""


PRODUCTS: tuple[Product, ...] = (
    Product(
        "server", "浪潮", "NF5280M6", "浪潮NF5280M6机架式服务器", "2U,双路,256GB", 38000, 62000, 72, "台", "28.5", 1
    ),
    Product("server", "华为", "2288H V5", "华为2288H服务器", "2U,双路,128GB", 32000, 52000, 72, "台", "27", 1),
    Product("desktop", "联想", "启天M430", "联想启天M430台式电脑", "i5/16GB/512GB", 3600, 4980, 72, "台", "7.8", 60),
    Product(
        "desktop", "清华同方", "超越E500", "同方超越E500台式电脑", "兆芯/8GB/256GB", 3800, 5000, 72, "台", "8.2", 40
    ),
    Product(
        "desktop", "中国长城", "世恒TD120A2", "长城世恒台式电脑", "飞腾D2000/8GB/256GB", 4200, 5000, 72, "台", "8", 30
    ),
    Product(
        "laptop", "联想", "ThinkPad E14", "联想ThinkPad笔记本电脑", "14寸,i5/16GB", 4800, 6990, 72, "台", "1.59", 40
    ),
    Product("laptop", "华为", "擎云L420", "华为擎云L420笔记本", "14寸,麒麟/8GB", 5200, 7000, 72, "台", "1.5", 25),
    Product("copier", "理光", "IM C2500", "理光彩色复合机", "A3,25页/分", 14000, 24000, 72, "台", "91", 6),
    Product("copier", "京瓷", "TASKalfa 3212i", "京瓷黑白数码复合机", "A3,32页/分", 9000, 15000, 72, "台", "68", 5),
    Product("projector", "爱普生", "CB-X50", "爱普生投影机", "XGA,3600流明", 3800, 8600, 72, "台", "2.5", 8),
    Product("projector", "明基", "MX560", "明基会议投影机", 'XGA,"短焦"', 3200, 6200, 72, "台", "2.3", 6),
    Product(
        "printer", "惠普", "LaserJet M405d", "惠普M405d激光打印机", "A4,黑白,双面", 1300, 2100, 72, "台", "8.4", 40
    ),
    Product("printer", "奔图", "P3305DN", "奔图P3305DN打印机", "A4,黑白,双面,网络", 1100, 1900, 72, "台", "7.2", 30),
    Product("scanner", "富士通", "fi-7140", "富士通高速扫描机", "A4,40页/分", 3900, 6800, 72, "台", "4.2", 10),
    Product("car", "大众", "帕萨特", "帕萨特公务轿车", "1.4T", 145000, 179900, 96, "辆", "1480", 1),
    Product("car", "比亚迪", "秦PLUS EV", "比亚迪秦公务用车", "纯电,510km", 118000, 142000, 96, "辆", "1650", 1),
    Product("aircon", "格力", "KFR-72LW", "格力3匹柜式空调", "3匹,变频", 4800, 7600, 120, "台", "52", 22),
    Product("aircon", "美的", "KFR-35GW", "美的1.5匹挂机空调", "1.5匹,变频", 2100, 3200, 120, "台", "31", 22),
    Product(
        "furniture", "圣奥", "GD-12", "圣奥办公隔断", "高1.2米,铝合金边", 180, 420, 180, "米", "14.2", 5, batch=True
    ),
    Product("desk", "圣奥", "SA-1400", "圣奥1.4米办公桌子", "1400×700×760", 700, 1500, 180, "张", "42", 90),
    Product("desk", "永艺", "YY-1600", "永艺职员桌", "1600×800×760,含三抽柜", 900, 1900, 180, "张", "48.5", 60),
    Product("table", "圣奥", "HY-3600", "圣奥3.6米会议长桌", "3600×1400×760", 3200, 7800, 180, "张", "128", 14),
    Product("chair", "永艺", "MT-02", "永艺网布转椅", "升降,带扶手", 220, 680, 180, "把", "12.6", 110, batch=True),
    Product("chair", "圣奥", "CH-118", "圣奥职员椅", "五星脚", 180, 560, 180, "把", "11.8", 90, batch=True),
    Product(
        "meeting_chair", "永艺", "HC-21", "永艺弓形会议座椅", "钢架,皮面", 160, 420, 180, "把", "9.4", 60, batch=True
    ),
    Product("sofa", "顾家", "GJ-3", "顾家三人位沙发", "西皮,三人位", 1900, 3900, 180, "组", "62", 16),
    Product("bookcase", "美时", "SG-900", "美时双门书橱", "900×400×1850", 680, 1400, 180, "个", "55", 40),
    Product("file_cabinet", "震旦", "WJ-850", "震旦五节铁皮柜", "850×390×1800", 420, 980, 180, "个", "38", 80),
    Product("software", "麒麟软件", "V10", "银河麒麟桌面操作系统", "V10,单机授权", 380, 780, 60, "套", "0", 12),
)
