"""Working ahead: one stage of a stream runs in a thread while the next one uses its last results."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_END = object()
_WAITING_BYTES = 48 << 20
_LOOK_S = 0.1  # how often a waiting thread looks whether it is still wanted


def depth_of(width: int, height: int) -> int:
    """How many pictures of that size may wait between two stages: a few, fewer when they are large."""
    return max(2, min(8, _WAITING_BYTES // (3 * width * height)))


def ahead(items: Iterator[T], depth: int) -> Iterator[T]:
    """The same items in the same order, made up to `depth` ahead by a thread of their own.

    Pays where `items` spends its time outside the interpreter: decoding, warping, networks. An exception in
    `items` is raised here; leaving the loop early stops the thread before the next item.
    """
    waiting: queue.Queue[object] = queue.Queue(depth)
    unwanted = threading.Event()
    failure: list[BaseException] = []

    def hand_over(item: object) -> bool:
        while not unwanted.is_set():
            try:
                waiting.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not hand_over(item):
                    return
        except BaseException as error:  # raised again on the other side
            failure.append(error)
        finally:
            hand_over(_END)

    worker = threading.Thread(target=work, name="voicelip-ahead", daemon=True)
    worker.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if failure:
            raise failure[0]
    finally:
        unwanted.set()
        worker.join()
