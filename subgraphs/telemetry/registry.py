"""Which sensors there are: given by whoever starts telemetry, derived from the warehouses that the districts name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contract.ids import format_id, parse_id
from subgraphs.telemetry.model import SensorKind, SensorSpec, WarehouseRef
from subgraphs.telemetry.profiles import ClimateProfile

__all__ = ["SensorRegistry", "profile_for", "sensors_for"]

LABELS = {SensorKind.TEMPERATURE: ("T", "温度"), SensorKind.HUMIDITY: ("H", "湿度")}


PROFILE_WORDS = {"档案": "paper-archives", "光盘": "optical-media", "介质": "optical-media"}


def profile_for(warehouse_name: str) -> str:
    """A first guess at what a warehouse's goods need, by the words in its name."""
    return next((profile for word, profile in PROFILE_WORDS.items() if word in warehouse_name), "general-goods")


def sensors_for(warehouses: Sequence[WarehouseRef], pairs: int = 1) -> list[SensorSpec]:
    """A thermometer and a hygrometer (or more pairs) for each warehouse; the same warehouses give the same sensors.

    So a simulator and a subgraph in different processes agree when both were told the same warehouses.
    """
    sensors = []
    for warehouse in sorted(warehouses, key=lambda each: each.id):
        place = parse_id(warehouse.id, "warehouse")
        for number in range(1, pairs + 1):
            for kind, (letter, label) in LABELS.items():
                sensors.append(
                    SensorSpec(
                        id=format_id("sensor", place.region, f"{place.native}-{letter}{number}"),
                        kind=kind,
                        label=f"{label} {number}",
                        warehouse_id=warehouse.id,
                        profile=warehouse.profile,
                    )
                )
    return sensors


class SensorRegistry:
    """The sensors by id and by warehouse. Sensors may be added while serving."""

    def __init__(self, sensors: Iterable[SensorSpec], profiles: Mapping[str, ClimateProfile]) -> None:
        self.profiles = profiles
        self._by_id: dict[str, SensorSpec] = {}
        self._by_warehouse: dict[str, list[SensorSpec]] = {}
        self._sorted: list[SensorSpec] = []
        self.add(sensors)

    def add(self, sensors: Iterable[SensorSpec]) -> None:
        """Raises ValueError where a sensor names an unknown profile; then none is added."""
        new = list(sensors)
        for sensor in new:
            if sensor.profile not in self.profiles:
                known = ", ".join(sorted(self.profiles))
                raise ValueError(f"{sensor.id} names the climate profile {sensor.profile!r}; known are {known}")
        for sensor in new:
            self._by_id[sensor.id] = sensor
        self._sorted = [self._by_id[key] for key in sorted(self._by_id)]
        self._by_warehouse = {}
        for sensor in self._sorted:
            self._by_warehouse.setdefault(sensor.warehouse_id, []).append(sensor)

    def __len__(self) -> int:
        return len(self._sorted)

    def get(self, sensor_id: str) -> SensorSpec | None:
        return self._by_id.get(sensor_id)

    def all(self) -> Sequence[SensorSpec]:
        """In order of their ids."""
        return self._sorted

    def of_warehouse(self, warehouse_id: str) -> Sequence[SensorSpec]:
        return self._by_warehouse.get(warehouse_id, ())

    def profile_of(self, sensor: SensorSpec) -> ClimateProfile:
        return self.profiles[sensor.profile]
