"""Tries an organiser's template in a process of its own, which is ended when it takes too much."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

from mailer.errors import WorkerFailed
from mailer.mail.templates.template_checks import template_problem
from mailer.mail.templates.template_trial import OUT_OF_MEMORY, TemplateTrial, TrialRequest, trial_from_json

_CPU_SECONDS = 10
"""A template that is good takes about one."""
_LONGEST_WAIT_S = 60.0
"""A busy machine gives the process less."""
_ENDED_BY_LIMITS = {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT}
"""RLIMIT_CPU ends it by the first two; without memory or stack a library in Rust or C ends it by the others."""


async def run_template_trial(
    request: TrialRequest, longest_wait_s: float = _LONGEST_WAIT_S, cpu_seconds: int = _CPU_SECONDS
) -> TemplateTrial:
    """What the process found; that it took too much time or memory is a mistake of the template.

    It is spawned with none of our variables, in whose values secrets may stand. Raises WorkerFailed, with the last line
    that the process wrote, if it ended for another reason: then the fault is ours.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mailer.network.template_trial_worker", str(cpu_seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAILER_")},
    )
    try:
        octets, said = await asyncio.wait_for(process.communicate(request.to_json()), longest_wait_s)
    except TimeoutError:
        return _refuse("it does not come to an end: trying it was given up")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == OUT_OF_MEMORY or process.returncode in _ENDED_BY_LIMITS:
        return _refuse("trying it takes more time or memory than a letter may: make it simpler")
    if process.returncode:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise WorkerFailed(f"the template could not be tried: {last or f'exit code {process.returncode}'}")
    return trial_from_json(octets)


def _refuse(why: str) -> TemplateTrial:
    return TemplateTrial(html="", problems=(template_problem(why, None),))
