"""Work that is begun before its result is needed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def begun(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
    """`work` in a thread of its own; its failure shows when the result is asked for."""
    pool = ThreadPoolExecutor(1)
    job = pool.submit(work, *arguments)
    pool.shutdown(wait=False)
    return job
