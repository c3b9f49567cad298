# SPDX-License-Identifier: GPL-3.0-or-later
"""What Gradio has of the page."""

from ui.companion import Companion
from ui.settings import Settings
from ui.web import page

TOOLS = {"list_episodes", "find_moments", "ask_episode", "get_transcript"}


def test_gradio_takes_nothing_but_short_texts_and_numbers(tmp_path):
    companion = Companion(Settings(data_dir=tmp_path, demo=False))
    try:
        blocks = page.build_page(companion)
    finally:
        companion.close()
    assert {event.api_name for event in blocks.fns.values()} == TOOLS
    for event in blocks.fns.values():
        for taken in event.inputs:
            assert type(taken).__name__ == "Api"
    kinds = {parameter["python_type"]["type"]
             for described in blocks.get_api_info()["named_endpoints"].values()
             for parameter in described["parameters"]}  # fmt: skip
    assert kinds <= {"str", "int", "float"}


def test_gradio_writes_nothing_beside_its_components():
    page._gradio()
    from gradio import component_meta

    assert component_meta.create_or_modify_pyi(object, "object", []) is None
