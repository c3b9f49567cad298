# SPDX-License-Identifier: GPL-3.0-or-later
"""When the ears are open: time is a number here."""

from voice.turns.wake_gate import FOLLOW, SPEECH_TIMEOUT, WakeGate, WakeMode


def test_without_a_wake_word_the_ears_are_always_open() -> None:
    assert WakeGate(WakeMode.NONE).is_open(1e6, busy=False)


def test_a_call_opens_them_for_a_while_and_lapses_once() -> None:
    gate = WakeGate(WakeMode.WORD)
    assert not gate.is_open(10.0, busy=False)
    gate.call(10.0)
    assert gate.is_open(10.0 + SPEECH_TIMEOUT - 0.1, busy=False)
    assert not gate.lapsed(10.0 + SPEECH_TIMEOUT - 0.1, busy=False)
    assert not gate.is_open(10.0 + SPEECH_TIMEOUT, busy=False)
    assert gate.lapsed(10.0 + SPEECH_TIMEOUT, busy=False)
    assert not gate.lapsed(10.0 + SPEECH_TIMEOUT, busy=False)


def test_who_speaks_when_the_time_is_over_is_heard_to_the_end() -> None:
    gate = WakeGate(WakeMode.KEY)
    gate.call(10.0)
    late = 10.0 + SPEECH_TIMEOUT + 3
    assert gate.is_open(late, busy=True) and not gate.lapsed(late, busy=True)
    gate.close()
    assert not gate.is_open(late, busy=False) and not gate.lapsed(late, busy=False)


def test_after_an_answer_one_may_go_on_without_a_call() -> None:
    gate = WakeGate(WakeMode.WORD)
    gate.answered(50.0)
    assert gate.is_open(50.0 + FOLLOW - 0.1, busy=False)
    assert not gate.is_open(50.0 + FOLLOW, busy=False)
    assert not gate.lapsed(50.0 + FOLLOW, busy=False)  # nobody called, so nothing is given back
