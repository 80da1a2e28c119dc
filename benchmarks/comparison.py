"""One side of a comparison, and the goals that one can have."""

import threading
from collections.abc import Callable
from typing import Any


class Side:
    """One side of a comparison: ours, or another way to do the same."""

    def __init__(self, benchmark: Any, small: bool):
        self._benchmark = benchmark
        self._small = small

    def describe(self, what: str, way: str, goal: dict[str, Any] | None = None, units: float = 1, of: str = "") -> None:
        """Name the comparison and this side of it.

        Args:
            what: the comparison; all its sides give the same.
            way: "ours", or what the other way is.
            goal: what this project wants: a text and `ratio_at_least` or `value_at_most`.
            units: how many units of work one call does, where the sides do not do the same number.
            of: what a unit is.
        """
        self._benchmark.group = what
        self._benchmark.extra_info.update(way=way, goal=goal, units_per_call=units, of=of)

    def time(self, function: Callable[[], Any], rounds: int = 7, warmup_rounds: int = 1) -> None:
        """Time a function, once a round."""
        if self._small:
            rounds = warmup_rounds = 1
        self._benchmark.pedantic(function, rounds=rounds, warmup_rounds=warmup_rounds)

    def memory(self, count_bytes: Callable[[], int]) -> None:
        """Record a number of bytes instead of a time."""
        self._benchmark.extra_info["bytes"] = self._benchmark.pedantic(count_bytes, rounds=1)


def faster(factor: float) -> dict[str, Any]:
    """The goal to be so many times as fast."""
    return {"text": f"at least {factor:,g} times as fast", "ratio_at_least": factor}


def at_most_slower(share: float) -> dict[str, Any]:
    """The goal to cost at most this share more."""
    return {"text": f"at most {share:.0%} more", "ratio_at_least": 1 / (1 + share)}


class EpochByEpoch:
    """Training in a thread that takes one epoch for each call: what `fit` sets up once is not timed.

    Args:
        fit: called with callbacks= and epochs=, as `model.fit` is.
    """

    def __init__(self, fit: Callable[..., Any]):
        self._wanted, self._ended = threading.Semaphore(0), threading.Semaphore(0)
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._train, args=(fit,))
        self._thread.start()
        self._ended.acquire()  # set up, and waiting for the first epoch

    def __call__(self) -> None:
        self._wanted.release()
        self._ended.acquire()
        if self._error:
            raise self._error

    def close(self) -> None:
        """End the training."""
        self._closed = True
        self._wanted.release()
        self._thread.join()

    def _train(self, fit: Callable[..., Any]) -> None:
        from keras.callbacks import LambdaCallback

        try:
            fit(callbacks=[LambdaCallback(on_epoch_begin=self._wait)], epochs=1_000_000)
        except StopIteration:
            pass
        except BaseException as error:
            self._error = error
        self._ended.release()

    def _wait(self, epoch: int, logs: dict | None) -> None:
        self._ended.release()
        self._wanted.acquire()
        if self._closed:
            raise StopIteration
