"""A process that tries one template under limits: a TrialRequest on its standard input, a TemplateTrial on its output.

`template_trial` runs it as a module, with the seconds of processor time that it may take. Whatever a template does to
Jinja2, MJML or the parsers happens here.
"""

from __future__ import annotations

import resource
import signal
import sys

from mailer.errors import CampaignFileRefused
from mailer.mail.templates.prepare_template import prepare_template
from mailer.mail.templates.sample_letters import render_sample, shown_sample
from mailer.mail.templates.template_trial import (
    OUT_OF_MEMORY,
    TemplateTrial,
    TrialRequest,
    request_from_json,
    trial_to_json,
)
from mailer.mail.templates.try_template import try_template

MOST_MEMORY = 1024**3
"""Octets of address space; about a third is taken at the start."""


def main() -> None:
    """Answer one request, and exit."""
    # Ctrl-C reaches the whole process group, but the parent decides when this stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cpu_seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        answer = trial_to_json(_try(request_from_json(sys.stdin.buffer.read())))
    except (MemoryError, RecursionError):
        sys.exit(OUT_OF_MEMORY)
    sys.stdout.buffer.write(answer)


def _try(request: TrialRequest) -> TemplateTrial:
    html, problems = prepare_template(request.source)
    if problems:
        return TemplateTrial(html="", problems=problems)
    problems = try_template(html, request.templates)
    trial = TemplateTrial(html=html, problems=problems, shown=_show(html, request))
    return TemplateTrial(html="", problems=problems, shown=trial.shown) if trial.errors else trial


def _show(html: str, request: TrialRequest) -> str | None:
    if request.show is None:
        return None
    try:
        return render_sample(html, shown_sample(request.show), request.templates)
    except CampaignFileRefused:  # told among the problems
        return None


if __name__ == "__main__":
    main()
