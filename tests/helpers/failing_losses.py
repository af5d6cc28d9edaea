"""Losses that make one training of a study fail; here, since another process must find them too."""

from __future__ import annotations

import os
import signal
from typing import Any

from leadwise.learning.engine import Loss

FAILS = (2,)
"""The folds that the training leaves out which fails."""


class Healthy:
    """The recipe's own loss."""

    code = ()

    def made_of(self, *_: object) -> list[Any]:
        return []

    def __call__(self, part: object, left_out: tuple[int, ...], loss: Loss) -> Loss:
        if left_out == FAILS:
            self.fail()
        return loss

    def fail(self) -> None:
        """It does not."""


class Killed(Healthy):
    """Ends its process as the kernel ends one for want of memory."""

    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class OutOfMemory(Healthy):
    """Finds too little memory."""

    def fail(self) -> None:
        raise MemoryError("made")
