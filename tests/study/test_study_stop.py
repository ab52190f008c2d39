"""Which signal is raised where it comes, and that none is while cells are given back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from resbench.workers.shutdown import Shutdown, Stopped, handle_signals

TERM = signal.SIGTERM


def test_the_first_is_a_wish_and_the_second_is_raised() -> None:
    stop = Shutdown()
    stop.request(TERM)
    assert (stop.requested, stop.is_repeated) == (TERM, False)
    with pytest.raises(Stopped) as caught:
        stop.request(TERM)
    assert caught.value.status == 143
    assert stop.is_repeated


def test_where_nothing_could_be_lost_the_first_is_raised() -> None:
    stop = Shutdown()
    with pytest.raises(Stopped), stop.interruptible():
        stop.request(TERM)
    with pytest.raises(Stopped), stop.interruptible():
        pytest.fail("it was asked before")


@pytest.mark.parametrize(
    "raises", [lambda stop: stop.request(TERM), lambda stop: stop.leave()], ids=["a signal", "the work"]
)
def test_once_it_was_raised_what_is_given_back_is_not_cut(raises: Callable[[Shutdown], None]) -> None:
    stop, kept = Shutdown(), []
    stop.request(TERM)
    with suppress(Stopped):
        try:
            raises(stop)
        finally:
            for number in range(3):
                stop.request(TERM)
                kept.append(number)
    assert kept == [0, 1, 2]


def test_whoever_holds_cells_is_not_cut_and_after_an_error_gives_them_back() -> None:
    stop = Shutdown()
    with suppress(ZeroDivisionError), stop.shielded():
        stop.request(TERM)
        stop.request(TERM)
        assert stop.is_repeated
        with pytest.raises(Stopped), stop.exposed():
            pytest.fail("there was a second signal")
        raise ZeroDivisionError
    stop.request(TERM)  # before it has begun to give back
    stop.lower()


def test_what_may_be_cut_inside_is_cut_by_the_second_signal() -> None:
    stop = Shutdown()
    with stop.shielded():
        stop.request(TERM)
        with pytest.raises(Stopped), stop.exposed():
            stop.request(TERM)
        stop.request(TERM)


def test_a_person_who_insists_has_signals_that_are_left_alone() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGQUIT, signal.SIGHUP)}
    with handle_signals() as stop:
        assert {number: signal.getsignal(number) for number in before} == before
        os.kill(os.getpid(), TERM)
        assert stop.requested == TERM
