# SPDX-License-Identifier: GPL-3.0-or-later
"""Better models for hearing and speaking."""

from typing import Any

from fastapi import APIRouter

from ui import model_catalogue
from ui.web.bodies import ModelBody
from ui.web.dependencies import ServedDep

router = APIRouter(tags=["models"])


@router.get("/api/models")
def known(served: ServedDep) -> dict[str, Any]:
    """What can be fetched, and how far it is."""
    return {"models": model_catalogue.rows(served.companion.settings), "fetching": served.models.state()}


@router.post("/api/models")
def fetch(body: ModelBody, served: ServedDep) -> dict[str, Any]:
    """Fetch one, in the background."""
    served.models.begin(body.name)
    return served.models.state()
