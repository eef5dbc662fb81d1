"""The regions of Hangzhou by their GB/T 2260 codes."""

from __future__ import annotations

CITY_REGION = "330100"
"""The city's own store."""

REGIONS: dict[str, tuple[str, str]] = {
    "330100": ("杭州市本级", "Hangzhou (city store)"),
    "330102": ("上城区", "Shangcheng"),
    "330105": ("拱墅区", "Gongshu"),
    "330106": ("西湖区", "Xihu"),
    "330108": ("滨江区", "Binjiang"),
    "330109": ("萧山区", "Xiaoshan"),
    "330110": ("余杭区", "Yuhang"),
    "330111": ("富阳区", "Fuyang"),
    "330112": ("临安区", "Lin'an"),
    "330113": ("临平区", "Linping"),
    "330114": ("钱塘区", "Qiantang"),
    "330122": ("桐庐县", "Tonglu"),
    "330127": ("淳安县", "Chun'an"),
    "330182": ("建德市", "Jiande"),
}
"""code → (Chinese name, English name), in code order; the city's own store first."""

RETIRED_CODES: dict[str, str | None] = {"330103": "330105", "330104": None}
"""Retired code → its successor, or None where the code was divided and a row needs its street or unit to decide."""
