"""SIGTERM and SIGINT as a wish: once, again, and by a person who means it."""

import signal
import threading

import pytest

from acutance import signals
from acutance.signals import Asked, ignored


@pytest.mark.parametrize("number", signals.POLITE)
def test_the_first_one_is_a_wish_and_its_echoes_change_nothing(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in signals.POLITE]
    asked = Asked()
    with asked.listening():
        assert not asked.by
        for each in (number, number, *signals.POLITE):
            signal.raise_signal(each)
        assert asked.by == number.name
    assert [signal.getsignal(each) for each in signals.POLITE] == before


def test_later_only_a_person_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "ECHO", -1.0)
    asked = Asked()
    with asked.listening():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert asked.by == "SIGTERM"


def test_who_follows_hears_nothing() -> None:
    with ignored():
        for each in signals.POLITE:
            signal.raise_signal(each)


def test_in_another_thread_nothing_is_touched() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def listen() -> None:
        with Asked().listening(), ignored():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before]
