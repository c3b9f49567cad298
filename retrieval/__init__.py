# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding moments and composing answers. Depends on ``episodes`` and ``voice``."""
