"""A store's address as it may be shown: whatever drivers take for a password is not in it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SECRET_PARAMETERS", "StoreUrl"]

SECRET_PARAMETERS: Final = frozenset(
    {"password", "passwd", "pwd", "pass", "sslpassword", "tlscertificatekeyfilepassword", "wallet_password"}
)
_HIDDEN: Final = "***"
_PARAMETER: Final = re.compile(r"([?&;])([^=&;]*)=([^&;]*)")


class StoreUrl(str):
    """The address itself, to be given to a driver; its `repr` hides the password.

    A mapping is shown by its `repr`, and a local index is kept for what that says: so another host is another store,
    and another password is not.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        scheme, mark, rest = self.partition("://")
        if not mark:
            return repr(str(self))
        before, question, parameters = rest.partition("?")
        if "@" not in before and "@" in parameters:  # a password with a `?` in it
            before, question, parameters = rest, "", ""
        user, at, place = before.rpartition("@")
        name, colon, _ = user.partition(":")
        hidden = _PARAMETER.sub(_hide, question + parameters)
        return repr(f"{scheme}://{name}{colon and colon + _HIDDEN}{at}{place}{hidden}")


def _hide(match: re.Match[str]) -> str:
    mark, name, value = match[1], match[2], match[3]
    return f"{mark}{name}={_HIDDEN if name.lower() in SECRET_PARAMETERS else value}"
