"""Order, errors and bounds of the one thread pool."""

import threading
import time

import pytest

from acutance.parallel import each


def test_results_come_in_order_whatever_finishes_first() -> None:
    gate = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert gate.wait(10)
        if number == 3:
            gate.set()
        return number * number

    assert list(each(work, range(6), workers=4, title="")) == [0, 1, 4, 9, 16, 25]


def test_the_first_error_stops_what_has_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            raise RuntimeError("third")
        if number > 2:
            time.sleep(0.01)

    with pytest.raises(RuntimeError, match="third"):
        list(each(work, range(500), workers=1, title=""))
    assert len(begun) < 500
