# SPDX-License-Identifier: GPL-3.0-or-later
"""What is logged as lines of JSON, for programs that collect it."""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One JSON object a record: ``at`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, and ``error`` with the
    traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def log_as_json() -> None:
    """Write so from now on, wherever it is written to."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
