"""Invented people for the demo: names in three languages, and reserved addresses."""

from __future__ import annotations

import csv
import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

COLUMNS = ("email", "name", "language", "zone", "town")
# Reserved for examples (RFC 2606): no mail reaches anybody there.
_DOMAINS = ("example.org", "example.com", "example.net")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Country:
    """The names and places of people who speak one language."""

    language: str
    first_names: str
    family_names: str
    places: tuple[tuple[str, str], ...]
    """(town, IANA zone)."""
    spelling: dict[str, str]
    """How letters are written in ASCII where dropping the accent is not the custom."""


_ENGLISH = _Country(
    language="en",
    first_names="""Aoife Beatrix Callum Chloë Declan Eilidh Fiona Gareth Harriet Imogen Jasper Keira Leonie Maeve
    Niamh Orla Percy Renée Rhys Saoirse Siân Tobias Winifred Zoë""",
    family_names="""Ashgrove Birchall Coldbrook Dunmore Elderfield Fairweather Greenhalgh Hollingbrook Iveson
    Kettlewell Larkspur Merriweather Netherby O’Dwyer Pennywell Quigley Ravenscroft Silverdale Thistlewood
    Underwick Wetherby Yarrow""",
    places=(
        ("Bristol", "Europe/London"),
        ("Leeds", "Europe/London"),
        ("Galway", "Europe/Dublin"),
        ("Portland", "America/Los_Angeles"),
        ("Halifax", "America/Halifax"),
        ("Wellington", "Pacific/Auckland"),
    ),
    spelling={},
)
_GERMAN = _Country(
    language="de",
    first_names="""Anneliese Bärbel Björn Friederike Götz Günther Heike Henrike Ingeborg Jörg Jürgen Käthe Kilian
    Konstantin Lieselotte Lukas Marlene Matthias Rüdiger Sören Till Ulrike Wiebke""",
    family_names="""Ackermann Baumgärtner Brückner Dörfler Eichhorn Färber Grünwald Hübner Jäger Kühnapfel Lindenau
    Mühlbauer Nußbaum Oßwald Pfeiffer Rosenthaler Schönfeld Thürmer Vogelsang Weißgerber Winterfeld Zöllner""",
    places=(
        ("Köln", "Europe/Berlin"),
        ("Leipzig", "Europe/Berlin"),
        ("Lübeck", "Europe/Berlin"),
        ("Graz", "Europe/Vienna"),
        ("Zürich", "Europe/Zurich"),
    ),
    spelling={"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"},
)
_TURKISH = _Country(
    language="tr",
    first_names="""Ayşe Barış Çağrı Cem Defne Elif Emre Gökçe Hülya Işıl İlker Mert Nurgül Ömer Özge Selin Şule Tuğba
    Umut Ümit Yağmur Yiğit Zeynep""",
    family_names="""Akçay Aydınlı Bağcı Çelikkol Çınarlı Dağdelen Demirhan Ekşioğlu Gündoğdu Güneşli İncesu Karaağaç
    Özgüven Pınarbaşı Sarıkaya Şahinoğlu Taşkıran Tunçel Uğurlu Ünlüer Yörük Zeybek""",
    places=(
        ("İzmir", "Europe/Istanbul"),
        ("Eskişehir", "Europe/Istanbul"),
        ("Muğla", "Europe/Istanbul"),
        ("Trabzon", "Europe/Istanbul"),
    ),
    spelling={"ı": "i"},
)


def invented_people(count: int, seed: int) -> Iterator[dict[str, str]]:
    """`count` rows with the keys of COLUMNS, always the same for one seed; no two have the same address.

    Languages are en, de and tr in turn. Names keep their letters; local parts are written in ASCII.
    """
    chance = random.Random(seed)  # noqa: S311  # names, not secrets
    namesakes: Counter[str] = Counter()
    for number in range(count):
        country = (_ENGLISH, _GERMAN, _TURKISH)[number % 3]
        first, family = chance.choice(country.first_names.split()), chance.choice(country.family_names.split())
        town, zone = chance.choice(country.places)
        local = f"{_ascii(first, country.spelling)}.{_ascii(family, country.spelling)}"
        namesakes[local] += 1
        yield {
            "email": f"{local}{_suffix(namesakes[local])}@{chance.choice(_DOMAINS)}",
            "name": f"{first} {family}",
            "language": country.language,
            "zone": zone,
            "town": town,
        }


def write_csv(people: Iterable[dict[str, str]], file: TextIO) -> None:
    """Write a header line and one line per person; open `file` as UTF-8 with newline=""."""
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(people)


def _suffix(namesake: int) -> str:
    return "" if namesake == 1 else str(namesake)


def _ascii(name: str, spelling: dict[str, str]) -> str:
    """Lower-case a-z only: Jürgen -> juergen, Çağrı -> cagri, O’Dwyer -> odwyer."""
    spelled = "".join(spelling.get(letter, letter) for letter in name.lower())
    return "".join(letter for letter in unicodedata.normalize("NFKD", spelled) if "a" <= letter <= "z")
