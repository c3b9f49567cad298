# SPDX-License-Identifier: GPL-3.0-or-later
"""Another program is told, once and signed, when an episode is ready."""

import json

import httpx
import pytest

from episodes.store.library import Library
from tests.ui.home.conftest import add_episode
from ui.home.webhooks import TRIES, Webhooks, signature, webhooks_of
from ui.listener_data import ListenerData, SavedMoment
from ui.settings import Settings
from voice.errors import SettingsError

TEXT = "c2l4dGVlbiBsZXR0ZXJzIQ=="
KEY = b"sixteen letters!"


@pytest.fixture
def library(tmp_path, tone_file):
    library = Library.open(tmp_path)
    add_episode(library, tone_file, "Old")
    yield library
    library.close()


def test_an_episode_that_becomes_ready_is_told_once_and_again_while_nobody_takes_it(library, tone_file):
    asked: list[httpx.Request] = []
    answers = [500, 404, 204]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(answers[min(len(asked), 3) - 1])

    kept, network = ListenerData(library.folder), httpx.MockTransport(answer)
    hooks = Webhooks("http://there/hook", KEY, library, kept, network, lambda: 1_000.0)
    hooks.step()
    assert asked == []
    episode = add_episode(library, tone_file, "New")
    for _ in range(5):
        hooks.step()
    assert len(asked) == 3
    told = json.loads(asked[-1].content)
    assert (told["type"], told["data"]["id"], told["data"]["title"]) == ("episode.ready", episode.id, "New")
    headers = asked[-1].headers
    assert len({request.headers["webhook-id"] for request in asked}) == 1
    assert headers["webhook-signature"] == signature(KEY, headers["webhook-id"], 1_000, asked[-1].content)
    assert headers["webhook-timestamp"] == "1000"


def test_a_moment_that_is_saved_is_told_once_and_its_episode_stays(library):
    told: list[dict] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(json.loads(request.content))
        return httpx.Response(200)

    kept = ListenerData(library.folder)
    kept.save_moment("ann-ann-ann", SavedMoment("", "e0", 1.0, 2.0))
    hooks = Webhooks("http://there/hook", KEY, library, kept, httpx.MockTransport(answer))
    kept.save_moment("ann-ann-ann", SavedMoment("", "e1", 5.0, 9.0, "Kettles."))
    kept.write_note("ann-ann-ann", "e2", "Listen again.", 0)
    hooks.step()
    hooks.step()
    (one,) = told
    assert (one["type"], one["data"]["episode"], one["data"]["start"]) == ("moment.saved", "e1", 5.0)
    assert kept.episodes() == {"e0", "e1", "e2"}


def test_it_is_given_up_after_some_tries(library, tone_file):
    asked = []

    def fail(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("nobody is there")

    hooks = Webhooks("http://there/hook", KEY, library, ListenerData(library.folder), httpx.MockTransport(fail))
    add_episode(library, tone_file, "New")
    for _ in range(TRIES + 2):
        hooks.step()
    assert len(asked) == TRIES


def test_the_signature_is_the_one_of_the_standard():
    """Made with: printf 'msg_1.1.{}' | openssl dgst -sha256 -hmac key -binary | base64"""
    assert signature(b"key", "msg_1", 1, b"{}") == "v1,jKGHVBDuJf5ZbCMVrrutoMHDN1OlFFCE9iogVIO9MLQ="


def test_it_is_off_by_default_and_wants_a_key(library):
    kept = ListenerData(library.folder)
    assert webhooks_of(Settings(), library, kept) is None
    address = {"webhook": "there", "webhook_key": TEXT}
    for given, says in ((address, "no address"), ({"webhook": "http://a"}, "16 bytes")):
        with pytest.raises(SettingsError, match=says):
            webhooks_of(Settings(**given), library, kept)
    assert webhooks_of(Settings(webhook="http://a/b", webhook_key=f"whsec_{TEXT}"), library, kept) is not None
