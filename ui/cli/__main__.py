# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the command line as a module: ``python -m ui.cli``."""

from ui.cli.main import main

if __name__ == "__main__":
    main()
