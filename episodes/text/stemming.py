# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a text that carry its meaning, roughly stemmed."""

import re


def stems(text: str) -> set[str]:
    """Rough stems of the words of a text that carry meaning."""
    return {word[:5] for word in re.findall(r"[^\W_]{3,}", text.lower()) if word not in _EMPTY}


_EMPTY = frozenset(
    re.findall(
        r"\w+",
        "the and for are but not you all any can had her was one our out has him his how its may new now old see two"
        " way who did does what when where which why will with would could should have this that these those they"
        " them there their then than from into about your been being were some such only over also just like more"
        " most other mean means say says said tell happen happens think really know going get",
    )
)
