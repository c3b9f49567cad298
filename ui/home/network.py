# SPDX-License-Identifier: GPL-3.0-or-later
"""Under which address the others in the house reach this machine."""

import socket

ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared, not bound
_SOMEWHERE = ("192.0.2.1", 9)  # an address that is nobody's (RFC 5737): nothing is sent there


def own_address() -> str:
    """This machine's address in its network; that of the loopback where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """The address of what listens on ``host`` and ``port``, from this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"
