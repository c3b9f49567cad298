# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus reads, when that is switched on."""

from fastapi import APIRouter, Request, Response

from ui.metrics import Metrics

router = APIRouter(tags=["metrics"])


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Questions, how long each stage takes, and the queue, in Prometheus' text format."""
    kept: Metrics = request.app.state.metrics
    return Response(kept.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
