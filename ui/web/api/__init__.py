# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's HTTP API, a router a resource."""
