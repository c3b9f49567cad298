# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for a player as Home Assistant's own intents: it carries them out in the room of the device that asked."""

from wyoming.intent import Entity, Intent

from retrieval.model import Command
from voice.turns.commands import CommandName

_INTENTS = {
    CommandName.PAUSE: ("HassMediaPause", "Paused."),
    CommandName.STOP: ("HassMediaPause", "Paused."),
    CommandName.PLAY: ("HassMediaUnpause", "Going on."),
    CommandName.RESUME: ("HassMediaUnpause", "Going on."),
    CommandName.MUTE: ("HassMediaPlayerMute", "Muted."),
    CommandName.UNMUTE: ("HassMediaPlayerUnmute", "Here it is again."),
    CommandName.NEXT_EPISODE: ("HassMediaNext", "The next one."),
    CommandName.PREVIOUS_EPISODE: ("HassMediaPrevious", "The one before."),
    CommandName.SET_VOLUME: ("HassSetVolume", "Done."),
    CommandName.LOUDER: ("HassSetVolumeRelative", "Louder."),
    CommandName.QUIETER: ("HassSetVolumeRelative", "Quieter."),
}


def intent_of(command: Command) -> Intent | None:
    """The intent that does what a command says; None for one that Home Assistant does not know."""
    if command.name not in _INTENTS:
        return None
    name, said = _INTENTS[command.name]
    entities: list[Entity] = []
    if command.name is CommandName.SET_VOLUME:
        level = 1.0 if command.amount is None else command.amount
        entities = [Entity("volume_level", round(100 * level))]
    elif command.name in (CommandName.LOUDER, CommandName.QUIETER):
        up = command.name is CommandName.LOUDER
        step = None if command.amount is None else round(100 * command.amount) * (1 if up else -1)
        entities = [Entity("volume_step", step if step is not None else "up" if up else "down")]
    return Intent(name, entities, said)
