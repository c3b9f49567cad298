# SPDX-License-Identifier: GPL-3.0-or-later
"""What listening costs while nobody speaks: processor time of the loop without the models of hearing and finding.

    python -m tests.benchmarks.idle [--seconds N] [--playing]

On a real sound server: both streams, the echo filter, Silero on every frame; with --playing also the podcast, loud.
The whole process is measured, all threads of it.
"""

import argparse
import queue
import resource
import tempfile
import time
from pathlib import Path

from tests.episodes.tones import write_tones
from tests.soundcard import running_card
from voice.devices.player import Player
from voice.turns.microphone import FrontEnd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--playing", action="store_true")
    given = parser.parse_args()
    for _ in running_card():
        from voice.devices.duplex import DuplexDevice

        with tempfile.TemporaryDirectory() as folder:
            player, front_end = Player(), FrontEnd()
            player.load(write_tones(Path(folder) / "tones.m4a", "aac", 60.0), 0.0, 60.0)
            inbox: queue.Queue = queue.Queue()
            sound = DuplexDevice(player, inbox.put, "", "")
            sound.attend()
            if given.playing:
                player.play()
            began, used, blocks = time.monotonic(), time.process_time(), 0
            while time.monotonic() < began + given.seconds:
                sound.attend()
                try:
                    block = inbox.get(timeout=0.1)
                except queue.Empty:
                    continue
                blocks += 1
                front_end.push(block, sound.played(front_end.drift))
            share = (time.process_time() - used) / (time.monotonic() - began)
            sound.close()
            player.close()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{100 * share:.1f} % of a core over {given.seconds:.0f} s ({blocks} blocks); {memory:.0f} MB at most")


if __name__ == "__main__":
    main()
