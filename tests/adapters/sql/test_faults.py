"""What a driver's error means, by its number."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.model import StoreUnsupported
from adapters.sql.faults import Cause, cause_of, server_answered, unavailable


class DriverError(Exception):
    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args)
        vars(self).update(attributes)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DriverError(sqlstate="57014"), Cause.TIMEOUT),
        (DriverError(pgcode="28P01"), Cause.LOGIN),
        (DriverError(1969, "hunter2"), Cause.TIMEOUT),
        (DriverError(3024, "hunter2"), Cause.TIMEOUT),
        (DriverError(1045, "hunter2"), Cause.LOGIN),
        (DriverError(1792, "hunter2"), Cause.READ_ONLY),
        (DriverError(SimpleNamespace(full_code="ORA-01456")), Cause.READ_ONLY),
        (DriverError("HYT00", "hunter2"), Cause.TIMEOUT),
        (DriverError("hunter2"), Cause.OTHER),
        (TimeoutError(), Cause.TIMEOUT),
    ],
)
def test_a_cause(error: Exception, cause: Cause) -> None:
    assert cause_of(error) is cause
    wrapped = RuntimeError("hunter2")
    wrapped.__cause__ = error
    assert cause_of(wrapped) is cause
    assert "hunter2" not in str(unavailable(error))


def test_ours_is_handed_on() -> None:
    ours = StoreUnsupported("no")
    assert unavailable(ours) is ours


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (DriverError(1049), True),
        (DriverError(1040), False),
        (DriverError(2003), False),
        (DriverError(sqlstate="3D000"), True),
        (DriverError(sqlstate="57P03"), False),
        (DriverError(sqlstate="08006"), False),
        (ConnectionRefusedError(111, "refused"), False),
    ],
)
def test_a_server_that_has_said_no_would_say_it_again(error: Exception, answered: bool) -> None:
    assert server_answered(error) is answered
