# SPDX-License-Identifier: GPL-3.0-or-later
"""What a language model is offered, called as one calls it: over MCP, at a running server."""

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import RunningServer
from tests.demo import TEN_QUESTIONS

TOOLS = {"list_episodes", "find_moments", "ask_episode", "get_transcript"}


def test_a_model_finds_asks_and_reads_over_mcp(server: RunningServer):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def talk() -> None:
        async with (
            streamable_http_client(f"{server.url}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            offered = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert set(offered) == TOOLS
            assert all("Returns:" in str(tool.description) for tool in offered.values())

            async def call(name: str, **arguments: Any) -> Any:
                reply = await session.call_tool(name, arguments)
                assert not reply.isError, reply
                return reply.content[0].text

            (demo,) = (one for one in data(await call("list_episodes", search="second nature")))
            (best, *_) = data(await call("find_moments", question=TEN_QUESTIONS[8].text, episode=demo["id"], count=2))
            assert best["confidence"] > 0.35
            answer = data(await call("ask_episode", question=TEN_QUESTIONS[8].text, episode=demo["id"]))
            assert answer["covered"]
            assert "mirror" in answer["text"]
            read_there = await call("get_transcript", episode=demo["id"], start=best["start"], end=best["end"])
            assert read_there.startswith(f"[{best['clock']}] ")
            assert " ".join(best["quote"].split()[:4]) in read_there
            assert len(data(await call("list_episodes", search="nobody has it"))) == 0
            for name, arguments in (
                ("get_transcript", {"episode": "nothing-like-it"}), ("find_moments", {"question": "x" * 3000}),
            ):
                assert (await session.call_tool(name, arguments)).isError

    asyncio.run(talk())


def data(text: str) -> Any:
    return json.loads(text)


def test_the_http_api_documents_itself_and_offers_nothing_else(server: RunningServer):
    with urllib.request.urlopen(f"{server.url}/gradio_api/info", timeout=20) as reply:
        assert {name.strip("/") for name in json.load(reply)["named_endpoints"]} == TOOLS


@pytest.mark.long
def test_fifty_people_who_ask_at_once_are_all_answered(server: RunningServer):
    def ask(number: int) -> str:
        question = TEN_QUESTIONS[number % 10]
        body = json.dumps({"text": question.text}).encode()
        request = urllib.request.Request(f"{server.url}/api/ask", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return str(json.load(reply)["question"])

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(ask, range(50))) == [question.text for question in TEN_QUESTIONS] * 5
