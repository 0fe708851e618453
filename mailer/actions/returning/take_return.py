"""What came back is held against whom it must be, and never against anybody else."""

from __future__ import annotations

from collections.abc import Sequence

from mailer.app import App
from mailer.domain.came_back import CameBack


async def take_return(app: App, came_backs: Sequence[CameBack]) -> int:
    """Write down what came back and do what follows from it, in one transaction; of how many letters it was.

    Twice is no error. What is of no letter that we know changes nothing.
    """
    raise NotImplementedError
