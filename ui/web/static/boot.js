// SPDX-License-Identifier: GPL-3.0-or-later
// The one script that the page names: everything else is imported, and can be without anything happening.

import { start } from "./main.js";

start();
