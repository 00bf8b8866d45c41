"""What the head of a file says of itself: headline, day of publication, dateline, agency.

Decision: nothing is guessed. A day without a year gives no date; «03/04/2021» may be March or April
and gives none. A place before a colon is a dateline only where something speaks for it: a day, an
agency, capitals with a dash, or a name that newspapers write alone («New York:»). Otherwise
«Pete Hegseth: “We stand ...”» would be a town.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from retrieval.datatypes import LINE_END, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The head of an article; spans are code points of its text.

    Attributes:
        published: The day the file says it was published; a dateline counts if it has a year.
        dateline: Place and day as written, without the colon or dash that ends it.
        outlet: The agency in the dateline or, alone, in the last line.
        body: Where the report proper begins: after headline, byline, dates and dateline.
    """

    title: Span | None
    published: date | None
    dateline: Span | None
    outlet: Span | None
    body: int


def read_header(text: str) -> Header:
    stamp = _STAMP.match(text)
    start = stamp.end() if stamp else 0
    published = _day_of(stamp) if stamp else None
    title, body, stated = _read_top(text, start)
    opening = _read_dateline(text, body)
    last = _last_line(text)
    closing = _OUTLET_LINE.fullmatch(text, last.start, last.end) if last else None
    return Header(
        title=title,
        published=published or stated or opening.published,
        dateline=opening.dateline,
        outlet=opening.outlet or (_group_span(closing, "outlet") if closing else None),
        body=opening.body,
    )


# What the patterns are made of.

_MONTH_WORDS = (
    "january february march april may june july august september october november december"
)
_MONTH_NAMES = _MONTH_WORDS.split()
_MONTHS = {name[:3]: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTH = "(?i:" + "|".join([*_MONTH_NAMES, *(rf"{name}\.?" for name in _MONTHS), r"sept\.?"]) + ")"
_WEEKDAY = r"(?i:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?[ \t]+)?"
_ISO = r"(?P<iso>\d{4}-\d{2}-\d{2})"
_MONTH_FIRST = rf"(?P<m1>{_MONTH})[ \t]+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?,?[ \t]+(?P<y1>\d{{4}})"
_DAY_FIRST = rf"(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?[ \t]+(?P<m2>{_MONTH}),?[ \t]+(?P<y2>\d{{4}})"
_TIME = (
    r"(?:(?:T|,?[ \t]+(?:at[ \t]+|[-–—|][ \t]*)?)\d{1,2}[:.]\d{2}(?::\d{2}(?:\.\d+)?)?"
    r"(?:[ \t]?(?i:[ap]\.?m\.?))?(?:[ \t]*(?:Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2}))?)?"
)
_STAMP = re.compile(rf"[\s\ufeff]*(?i:date)[ \t]*:?[ \t]*{_ISO}(?![\d-])[ \t]*")
_DATE_LINE = re.compile(
    r"(?P<label>(?i:published(?:[ \t]+on)?|posted(?:[ \t]+on)?|first published|publication date|"
    r"date|(?:last[ \t]+)?updated(?:[ \t]+on)?|modified)[ \t]*:?[ \t]*)?"
    rf"{_WEEKDAY}(?:{_ISO}|{_MONTH_FIRST}|{_DAY_FIRST}){_TIME}\.?"
)
_BYLINE = re.compile(r"(?:By|BY)[ \t]+[^\W\d_a-z][^.!?:\r\n]{1,78}")

_AGENCY = (
    "(?:Associated Press|The Associated Press|AP|Reuters|REUTERS|Thomson Reuters|AFP|"
    "Agence France-Presse|ANI|Asian News International|PTI|Press Trust of India|IANS|UNI|UPI|"
    "United Press International|Xinhua|XINHUA|TASS|ITAR-TASS|Interfax|RIA Novosti|Ukrinform|Kyodo|"
    "Kyodo News|Jiji Press|Yonhap|Bernama|BERNAMA|Antara|ANTARA|dpa|DPA|EFE|ANSA|APA|ANP|Belga|"
    "PA|PA Media|Press Association|Canadian Press|The Canadian Press|AAP|KCNA|IRNA|WAM|SPA|"
    "Anadolu Agency|Anadolu|PNA|CNA|Bloomberg|Bloomberg News|VOA|BBC News|CNN)"
)
_OUTLET_LINE = re.compile(
    rf"[(\[]?[-–—]{{0,2}}[ \t]*(?:(?i:with[ \t]+(?:agency[ \t]+)?inputs[ \t]+from|source:)[ \t]+)?"
    rf"(?P<outlet>{_AGENCY})[)\]]?\.?"
)

# A word begins with a capital, or has no case; the bounds keep a line without spaces cheap.
_WORD = r"[^\W\d_a-z][^\W\d_]{0,30}\.?(?:['’-][^\W\d_]{1,30}){0,4}"
_PLACE = rf"{_WORD}(?: {_WORD}){{0,3}}"
_WHERE = rf"(?P<place>{_PLACE})(?P<region>, ?{_PLACE})?"
_DAY = rf"(?P<day>, ?(?:{_MONTH} \d{{1,2}}|\d{{1,2}} {_MONTH}))(?P<year>,? \d{{4}})?"
_DASH = r"[ \t]*(?:[–—]|(?:--?|_)(?=\s))\s*"
_DATELINE = re.compile(
    rf"(?P<dateline>{_WHERE}(?:{_DAY})?)"
    rf"(?:[ \t]*(?P<agency>\((?P<outlet>{_AGENCY})\))(?:{_DASH}|:\s*|(?P<bare>[ \t]+))"
    rf"|(?P<dash>{_DASH})|:\s*)"
)
_BARE_AGENCY = re.compile(rf"\((?P<outlet>{_AGENCY})\){_DASH}")

# Places that a dateline names without a country: those of the Associated Press, and capitals.
_PLACES = (
    "Abu Dhabi;Abuja;Accra;Addis Ababa;Algiers;Amman;Amsterdam;Ankara;Antananarivo;Ashgabat;"
    "Asmara;Astana;Asuncion;Athens;Atlanta;Auckland;Baghdad;Baku;Baltimore;Bamako;Bangkok;"
    "Bangui;Barcelona;Beijing;Beirut;Belfast;Belgrade;Bengaluru;Berlin;Bern;Bhopal;Bogota;"
    "Bogotá;Boston;Brasilia;Bratislava;Brazzaville;Brussels;Bucharest;Budapest;Buenos Aires;"
    "Bujumbura;Cairo;Canberra;Cape Town;Caracas;Chandigarh;Chennai;Chicago;Chisinau;Cincinnati;"
    "Cleveland;Colombo;Conakry;Copenhagen;Dakar;Dallas;Damascus;Dar es Salaam;Delhi;Denver;"
    "Detroit;Dhaka;Djibouti;Doha;Dubai;Dublin;Dushanbe;Edinburgh;Frankfurt;Freetown;Gaborone;"
    "Gaza;Geneva;Guwahati;Hanoi;Harare;Havana;Helsinki;Hong Kong;Honolulu;Houston;Hyderabad;"
    "Indianapolis;Islamabad;Istanbul;Jakarta;Jammu;Jerusalem;Johannesburg;Juba;Kabul;Kampala;"
    "Karachi;Kathmandu;Khartoum;Kiev;Kigali;Kingston;Kinshasa;Kolkata;Kuala Lumpur;Kuwait City;"
    "Kyiv;La Paz;Lagos;Lahore;Las Vegas;Libreville;Lima;Lisbon;Ljubljana;London;Los Angeles;"
    "Luanda;Lucknow;Lusaka;Luxembourg;Madrid;Managua;Manama;Manila;Maputo;Melbourne;"
    "Mexico City;Miami;Milan;Milwaukee;Minneapolis;Minsk;Mogadishu;Monrovia;Montevideo;"
    "Montreal;Moscow;Mumbai;Munich;Muscat;Nairobi;Naypyitaw;New Delhi;New Orleans;New York;"
    "Niamey;Nicosia;Nouakchott;Oklahoma City;Oslo;Ottawa;Ouagadougou;Panama City;Paris;"
    "Peshawar;Philadelphia;Phnom Penh;Phoenix;Pittsburgh;Port-au-Prince;Prague;Pretoria;"
    "Pristina;Pyongyang;Quebec City;Quito;Rabat;Ramallah;Rawalpindi;Reykjavik;Riga;"
    "Rio de Janeiro;Riyadh;Rome;San Antonio;San Diego;San Francisco;San Jose;San Salvador;"
    "Sanaa;Santiago;Santo Domingo;Sao Paulo;Sarajevo;Seattle;Seoul;Shanghai;Skopje;Sofia;"
    "Srinagar;St. Louis;Stockholm;Sydney;Taipei;Tallinn;Tashkent;Tbilisi;Tegucigalpa;Tehran;"
    "Tel Aviv;The Hague;Tirana;Tokyo;Toronto;Tripoli;Tunis;Ulaanbaatar;United Nations;"
    "Vancouver;Vatican City;Vienna;Vientiane;Vilnius;Warsaw;Washington;Wellington;Windhoek;"
    "Yangon;Yaounde;Yerevan;Zagreb;Zurich"
)
_KNOWN_PLACES = frozenset(_PLACES.casefold().split(";"))

_NO_PLACE_WORDS = (
    "monday tuesday wednesday thursday friday saturday sunday "
    "on in by since until from after before published updated"
)
_NO_PLACES = frozenset([*_MONTH_NAMES, *_NO_PLACE_WORDS.split()])

_TITLE_LIMIT = 200  # code points; the longest of 18,704 Reuters headlines has fewer
_TOP_LINES = 6  # headline, byline, dates: what stands above them is body
_MARK = re.compile(r"[^\s\ufeff]")
_CLOSERS = "”»\"’')]"
_SENTENCE_ENDS = (".", "!", "?", "…")
_UNFINISHED = (":", ";", ",", "-", "–", "—", "_", "jpg", "jpeg", "png")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    dateline: Span | None = None
    published: date | None = None
    outlet: Span | None = None
    body: int


def _read_top(text: str, start: int) -> tuple[Span | None, int, date | None]:
    """Take headline, byline and dates off the top: the headline, where it ends, the first date."""
    title: Span | None = None
    published: date | None = None
    lines = list(_lines(text, start, _TOP_LINES + 3))
    for number, line in enumerate(lines[:_TOP_LINES]):
        if dated := _DATE_LINE.fullmatch(text, line.start, line.end):
            is_update = (dated["label"] or "").lower().lstrip("last \t").startswith(("upd", "mod"))
            published = published or (None if is_update else _day_of(dated))
        elif number and _BYLINE.fullmatch(text, line.start, line.end):
            continue
        elif title is None and _is_title(text, line, lines[number + 1 :]):
            title = line
        else:
            return title, line.start, published
    if len(lines) > _TOP_LINES:
        return title, lines[_TOP_LINES].start, published
    return title, len(text), published


def _is_title(text: str, line: Span, following: list[Span]) -> bool:
    words = text[line.start : line.end]
    if len(words) >= _TITLE_LIMIT or words.endswith(_UNFINISHED) or _OUTLET_LINE.fullmatch(words):
        return False
    in_capitals = words.isupper()  # so only headlines are set; one may end in «U.S.»
    ends = words.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS)
    if words[0].islower() or (not in_capitals and (ends or words[0] in "([")):
        return False
    for number, after in enumerate(following):
        if _is_furniture(text, after):
            continue
        if text[after.start].islower() and not in_capitals:
            return False
        if number or len(LINE_END.findall(text, line.end, after.start)) > 1:
            return True
        # With no blank line between, the line may be a wrapped one; then so is the next.
        rest = text[after.start : after.end]
        return len(rest) >= _TITLE_LIMIT or rest.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS)
    return False


def _is_furniture(text: str, line: Span) -> bool:
    patterns = (_DATE_LINE, _BYLINE, _OUTLET_LINE)
    return any(pattern.fullmatch(text, line.start, line.end) for pattern in patterns)


def _read_dateline(text: str, start: int) -> _Opening:
    if bare := _BARE_AGENCY.match(text, start):
        return _Opening(outlet=_group_span(bare, "outlet"), body=bare.end())
    found = _DATELINE.match(text, start)
    if not found or found.end() == len(text) or not _speaks_for_place(text, found):
        return _Opening(body=start)
    return _Opening(
        dateline=_group_span(found, "dateline"),
        published=_dateline_day(found),
        outlet=_group_span(found, "outlet") if found["outlet"] else None,
        body=found.end(),
    )


def _speaks_for_place(text: str, found: re.Match[str]) -> bool:
    opens = text[found.end()]
    if found["bare"] and not found["place"].isupper():
        return False  # «The Associated Press (AP) reported»
    if found["agency"]:
        return True
    if found["day"]:  # but not «On Monday, May 1 - a holiday - ...»
        return found["place"].split()[0].casefold() not in _NO_PLACES and not opens.islower()
    is_known = found["place"].casefold() in _KNOWN_PLACES
    if found["dash"]:
        is_place = is_known or bool(found["region"])
        return is_place and found["place"].isupper() and not opens.islower()
    return is_known and not opens.islower() and opens not in "“\"«'‘"


def _dateline_day(found: re.Match[str]) -> date | None:
    if not found["year"]:
        return None
    written = _DATE_LINE.fullmatch(found["day"].lstrip(", ") + found["year"])
    return _day_of(written) if written else None


def _day_of(found: re.Match[str]) -> date | None:
    """Read the groups of a written date; None for a day that no calendar has."""
    parts = found.groupdict()
    try:
        if parts["iso"]:
            return date.fromisoformat(parts["iso"])
        form = "1" if parts["m1"] else "2"
        month = _MONTHS[parts["m" + form][:3].lower()]
        return date(int(parts["y" + form]), month, int(parts["d" + form]))
    except ValueError:
        return None


def _lines(text: str, start: int, limit: int) -> Iterator[Span]:
    """Give the first lines that are not blank, without the space around them."""
    while limit and (begin := _MARK.search(text, start)):
        ending = LINE_END.search(text, begin.start())
        start = ending.start() if ending else len(text)
        yield Span(
            start=begin.start(), end=begin.start() + len(text[begin.start() : start].rstrip())
        )
        limit -= 1


def _last_line(text: str) -> Span | None:
    end = len(text.rstrip())
    start = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
    return next(_lines(text, start, 1), None)


def _group_span(found: re.Match[str], group: str) -> Span:
    return Span(start=found.start(group), end=found.end(group))
