"""Whether a reply to "please confirm" says no."""

from __future__ import annotations

import re

from mailer.mail.folded import folded

# All of these are compared without case and accents: see folded().
_HELLO = re.compile(
    r"(?:hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|hallo|moin|guten (?:tag|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?|merhaba(?:lar)?|selam(?:lar)?|sayin|iyi (?:gunler|aksamlar))\b"
)
_NAME = re.compile(r"[^\n,.!:;]{0,80}[\n,.!:;]")
_PLEASE = re.compile(r"(?:please|bitte|lutfen)\b")
_BETWEEN = re.compile(r"[\W_]+")
_END = r"(?![\w-]|'\w)"
_FIRST = re.compile(
    r"(?:no(?!,? (?:one|problems?|worries|doubt)\b)|nope|stop|unsubscribe|not me"
    r"|nein|stopp|abmelden|austragen|nicht ich"
    rf"|hayir|dur|durdur|ben degil|istemiyorum|iptal|abonelikten cik){_END}"
)
_ANYWHERE = re.compile(
    r"(?<![\w-])(?:not me|(?:is|was)n'?t me|unsubscribe me"
    r"|nicht ich|nicht von mir|war ich nicht|ich war (?:das|es) nicht|abmelden|austragen"
    rf"|ben degil\w*|istemiyorum|iptal ed\w+|abonelikten cik\w*){_END}"
)
_YES = re.compile(rf"(?:yes|yeah|sure|ok|okay|ja|jep|evet|tamam|confirm(?:ed)?|i confirm){_END}")


def declines(words: str) -> bool:
    """Whether a person's own first words decline, in a language we speak; a greeting before them is passed over.

    A line that begins with a no declines, and so does one that says something unmistakable ("that was not me")
    without beginning with a yes. In doubt it is a no: nobody is joined who may not want it.
    """
    said = _without(_BETWEEN, folded(words))
    if _HELLO.match(said):
        said = _without(_BETWEEN, _without(_HELLO, said))
        # "Hello no" names nobody, "Hi there, no" does.
        if not _FIRST.match(said) and not _YES.match(said):
            said = _without(_BETWEEN, _without(_NAME, said))
    said = _without(_BETWEEN, _without(_PLEASE, said))
    line = said.partition("\n")[0]
    return bool(_FIRST.match(said) or (_ANYWHERE.search(line) and not _YES.match(said)))


def _without(beginning: re.Pattern[str], text: str) -> str:
    found = beginning.match(text)
    return text[found.end() :] if found else text
