# SPDX-License-Identifier: GPL-3.0-or-later
"""The server against its own description: Schemathesis sends what the OpenAPI schema allows, and what it does not.

``pip install schemathesis``, then ``python -m tests.fuzz.api``. No answer may be a 5xx.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import serving


def main() -> int:
    """Serve an empty library and try every address of its API."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "earmark", EARMARK_DEMO="false") as url:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--url", url,
                   "--checks", "not_a_server_error", "--request-timeout", "10", "--phases", "fuzzing",
                   "--max-examples", *(sys.argv[1:2] or ["100"])]  # fmt: skip
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
