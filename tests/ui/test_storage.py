# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way, from a transcript to an answer, on each engine that can keep a library."""

from pathlib import Path

from retrieval.model import Question
from ui.companion import Companion
from ui.settings import Settings

BEES = (
    "The hive was quiet all winter.", "Bees dance to tell the others where they found flowers.",
    "The angle of the dance is the angle to the sun.", "A queen lives for about four years.",
)  # fmt: skip
SHIPS = (
    "The harbour was full of barges that year.", "A ship floats because it pushes away its own weight in water.",
    "Pilots know every bank of sand.", "Nobody sails in January.",
)  # fmt: skip


def vtt(path: Path, said: tuple[str, ...]) -> Path:
    lines = [f"00:{6 * n:02}.000 --> 00:{6 * n + 5:02}.000\n<v Ann Lee>{text}\n" for n, text in enumerate(said)]
    path.write_text("WEBVTT\n\n" + "\n".join(lines))
    return path


def test_what_is_taken_in_is_answered_and_what_is_removed_is_not(tmp_path: Path, database_url: str) -> None:
    settings = Settings(data_dir=tmp_path / "earmark", database=database_url, demo=False)
    companion = Companion(settings)
    try:
        bees, ships = (companion.add(vtt(tmp_path / f"{name}.vtt", said))
                       for name, said in (("bees", BEES), ("ships", SHIPS)))  # fmt: skip
        companion.mend_index()
        assert set(companion.index.episodes) == {bees.id, ships.id}
        asked = (("Why do bees dance?", bees, BEES[1]), ("Why does a ship float?", ships, SHIPS[1]))
        for question, found, quote in asked:
            answer = companion.ask(Question(question))
            assert answer.covered and answer.moments[0].episode_id == found.id
            assert quote in answer.moments[0].quote and answer.moments[0].start <= 6.0
        assert companion.ask(Question("How many episodes do I have?")).text.startswith("You have 2 episodes")
        said = companion.ask(Question("What did Ann say about a ship?"))
        assert said.moments[0].episode_id == ships.id
        assert {moment.episode_id for moment in companion.search("bees dance", 3)} >= {bees.id}
        companion.remove(bees.id)
        assert companion.index.episodes == (ships.id,)
        companion.index.remove(ships.id)  # it was lost
        companion.index.synced_version = None
        companion.mend_index()
        assert companion.ask(Question("Why does a ship float?")).moments[0].episode_id == ships.id
        assert {moment.episode_id for moment in companion.ask(Question("Why do bees dance?")).moments} <= {ships.id}
    finally:
        companion.close()
