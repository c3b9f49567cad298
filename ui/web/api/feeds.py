# SPDX-License-Identifier: GPL-3.0-or-later
"""The feeds that are followed."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request

from episodes.ingest.subscriptions import Subscription, forget, subscriptions, sync
from episodes.sources.http import Net, masked
from ui.settings import net_of
from ui.web.api.adding import while_wanted
from ui.web.bodies import FeedBody
from ui.web.dependencies import CompanionDep
from voice.errors import LibraryError

router = APIRouter(tags=["feeds"])


def feed_id(address: str) -> str:
    """What a feed is called by over HTTP, so that its address need not be told."""
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def _feed_json(one: Subscription) -> dict[str, Any]:
    """A feed as anybody may see it: its address can hold a password or a subscriber's token."""
    return {"id": feed_id(one.address), "title": one.title, "address": masked(one.address), "seen": one.seen}


@router.get("/api/feeds")
def feeds(companion: CompanionDep) -> list[dict[str, Any]]:
    """The feeds, by title; their secrets are left out of the addresses."""
    return [_feed_json(one) for one in subscriptions(companion.library)]


@router.post("/api/feeds/sync")
async def look_at_address(companion: CompanionDep, request: Request) -> list[dict[str, Any]]:
    """Look for what is new in all feeds."""

    def work(net: Net) -> list[dict[str, Any]]:
        found = []
        for one in subscriptions(companion.library):
            net.check()
            synced = sync(companion.library, one, net)
            found.append({"title": one.title, "new": len(synced.episodes), "problem": synced.problem or synced.remark})
        return found

    return await while_wanted(request, net_of(companion.settings), work)


@router.post("/api/feeds/forget")
def unfollow(body: FeedBody, companion: CompanionDep) -> list[dict[str, Any]]:
    """Follow a feed no longer; its episodes stay."""
    for one in subscriptions(companion.library):
        if feed_id(one.address) == body.id:
            forget(companion.library, one.address)
            return feeds(companion)
    raise LibraryError("No feed has that id.", "'GET /api/feeds' lists them.")
