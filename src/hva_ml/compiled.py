"""The door to numba: loops compiled once and kept on disk, run by plain threads over blocks of rows.

Threads never share what they write, so the number of threads decides the time and never a bit.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays at its first call, and keep the machine code beside the file.

    No fast-math: additions stay in the order they are written in. The interpreter's lock is free while it
    runs, so that `in_blocks` can run several at once. Kept code knows only its own file: a kernel calls no
    kernel of another file. Where the package's folder is read-only, numba keeps the code in the user's cache,
    or where ``NUMBA_CACHE_DIR`` says.

    Examples
    --------
    >>> import numpy as np
    >>> @kernel
    ... def total(values):
    ...     found = 0.0
    ...     for value in values:
    ...         found += value
    ...     return found
    >>> total(np.array([1.0, 2.0]))
    3.0
    """
    # A function typed at a prompt has no file to keep machine code beside.
    keep = function.__code__.co_filename.endswith(".py")
    return cast(Callable[P, R], numba.njit(function, cache=keep, nogil=True, error_model="numpy"))


def in_blocks(
    work: Callable[[int, int], None], n_rows: int, rows_at_once: int, threads: int | None = None
) -> None:
    """Call ``work(first, last)`` for consecutive blocks of rows, several at a time.

    Parameters
    ----------
    work : callable
        Handles rows ``first <= row < last``, and writes nowhere else.
    n_rows, rows_at_once : int
        All rows, and how many make a block.
    threads : int, optional
        At most so many at a time; by default as many as this process has cores.

    Examples
    --------
    >>> seen = []
    >>> in_blocks(lambda first, last: seen.append((first, last)), 5, 2, threads=1)
    >>> seen
    [(0, 2), (2, 4), (4, 5)]
    """
    blocks = [(first, min(first + rows_at_once, n_rows)) for first in range(0, n_rows, rows_at_once)]
    most = min(len(blocks), threads or cores())
    if most <= 1:
        for first, last in blocks:
            work(first, last)
        return
    with ThreadPoolExecutor(most) as pool:
        for done in [pool.submit(work, first, last) for first, last in blocks]:
            done.result()


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
