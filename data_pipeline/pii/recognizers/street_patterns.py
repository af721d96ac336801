"""The words that addresses are made of, in the languages most customers write them in."""

import re

from data_pipeline.pii.recognizers.postal import US_STATES

_HOUSE = r"\d{1,5}[A-Za-z]?(?:[/\-]\d{1,4}[A-Za-z]?)?"
_CAPITAL = r"[A-ZÀ-ÖØ-ÞŁŚŞŠŽČĆĐŐŰĀĒĪŌŪĢĶĻŅΆ-ΏΑ-ΫА-Я]"
_WORD = rf"{_CAPITAL}[\w'’.\-]{{0,30}}"
_OF = r"(?:(?:de|du|des|da|do|dos|di|del|della|la|le|los|las|el|of|dalla) |d'|l'){0,2}"
_BEGIN = r"(?<![\w\-.])(?:\d{1,4} )?"

_AFTER = (
    r"(?:Street|St\.?|Road|Rd\.?|Avenue|Ave\.?|Boulevard|Blvd\.?|Lane|Ln\.?|Drive|Dr\.?|Court|Ct\.?|Square|"
    r"Sq\.?|"
    r"Place|Pl\.?|Terrace|Way|Crescent|Cres\.?|Close|Parkway|Pkwy\.?|Highway|Hwy\.?|Circle|Cir\.?|Trail|"
    r"Row|Walk|Mews|"
    r"Gardens|Grove|Quay|Alley|Esplanade|Broadway|Turnpike|Sokak|Sok\.|Caddesi|Cad\.|Straße|Strasse|Str\.|"
    r"Platz|Gasse)"
)
KIND_FIRST_HINTS = (
    "rue ", "venue ", "ulevard ", "bd ", "chemin ", "mpasse ", "llée ", "quai ", "place ", "route ", "via ",
    "viale ", "piazza ", "corso ", "largo ", "calle ", "c/", "av. ", "avda", "venida ", "aseo ", "plaza ",
    "amino ", "carrer ", "rua ", "ravessa ", "praça ", "strada ", "ul. ", "ulica ", " al. ", " os. ",
    " pl. ", "str. ", "jalan ", "jl. ",
)  # fmt: skip
_BEFORE = (
    r"(?:rue|avenue|boulevard|bd|chemin|impasse|allée|quai|place|route|via|viale|piazza|corso|largo|calle|"
    r"c/|avd?a?\.|avenida|paseo|plaza|camino|carrer|rua|r\.?|travessa|praça|estrada|ul(?:ica|\.)|al\.|os\.|"
    r"pl\.|str(?:ada|\.)|jalan|jl\.|rruga)"
)
COMPOUNDS = (
    "straße", "strasse", "str.", "gasse", "weg", "allee", "platz", "ufer", "damm", "gatan", "vägen", "gata",
    "vej", "gade", "veien", "vegen", "gaten", "straat", "laan", "plein", "kade", "gracht", "dijk", "dreef",
    "katu", "tie", "kuja", "polku", "utca", "gränd", "stræde", "stræti", "vegur", "bakken", "svingen",
)  # fmt: skip
NAME_FIRST_HINTS = (
    " u. ", "utca", "út ", "tér ", "okak", "ok.", "addesi", "ad.", "tra", "Str.", "Weg", "Allee", "Platz",
)  # fmt: skip
_ENDINGS = r"(?:u\.|utca|út|tér|Sokak|Sok\.|Caddesi|Cad\.|Straße|Strasse|Str\.|Weg|Allee|Platz)"
_UNIT = (
    r"(?:apt\.?|apartment|suite|ste\.?|unit|flat|floor|room|rm\.?|#) ?#?(?:\d{1,5}[A-Za-z]?|[A-Za-z])(?!\w)"
)

NUMBER_FIRST = re.compile(
    rf"{_BEGIN}{_HOUSE},? (?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,4}}?{_AFTER}(?![\w%])"
)
KIND_FIRST = re.compile(
    rf"{_BEGIN}(?:{_HOUSE},? (?i:{_BEFORE}) {_OF}{_WORD}(?: {_OF}{_WORD}){{0,3}}(?:,? {_HOUSE})?|"
    rf"(?i:{_BEFORE}) {_OF}{_WORD}(?: {_OF}{_WORD}){{0,4}},? {_HOUSE})(?![\w%])"
)
COMPOUND = re.compile(
    rf"{_BEGIN}(?:{_WORD} ){{0,2}}(?!Brigade|Renegade){_CAPITAL}[\w\-]{{2,30}}(?:{'|'.join(COMPOUNDS)})"
    rf" {_HOUSE}(?![\w%])"
)
NAME_FIRST = re.compile(rf"(?<![\w\-.])(?:{_WORD} ){{1,3}}{_ENDINGS} (?:No:? ?)?{_HOUSE}(?![\w%])")
FLAT_BEGINS = re.compile(r"(?<![\w\-])(?:apt|apartment|suite|ste|flat)\b\.? \d", re.IGNORECASE)
BEFORE_FLAT = re.compile(
    rf"(?<![\w\-.])(?:\d{{1,4}} )?(?:{_HOUSE} (?:[^\W\d][\w'’.\-]{{0,30}} ){{1,5}}(?:{_HOUSE} )?|"
    rf"(?:{_WORD} ){{1,5}}{_HOUSE} )$"
)
"""Whatever ends in a number, or begins with one, before a flat or suite is a street."""

NAMED = re.compile(
    r"(?:(?:address(?:es)?(?: is| are|:|,)?|office is at|(?:i|we|he|she) lives? (?:at|in)|living at|"
    r"located at|meet(?: me| us| you)? at|"
    r"(?:ship|send|deliver|return|sent|shipped|delivered|moved)(?: it| them| this| one| a new one)? to) )"
    rf"((?:{_HOUSE} )?(?:{_WORD} ){{1,4}}{_HOUSE})(?![\w%:/]|[.,]\d)"
)
"""A name and a number after words that announce an address."""

LOWER_CASE = re.compile(
    r"(?<![\w\-.#$€£])\d{1,5}[a-z]? (?:[^\W\d_]{3,20} ){1,2}"
    r"(?:street|road|avenue|ave|lane|drive|boulevard|blvd|crescent|terrace)(?!\w)"
)
_NO_STREET_WORDS = """
    down the this that off across mile miles minute minutes block blocks from your our for and along into near
"""
NO_STREET = frozenset(_NO_STREET_WORDS.split())

_POSTCODE = (
    r"(?:(?:(?:[A-Z]{2,3}|nan),?[ \n]{1,2})?\d{4,6}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|"
    r"[A-Z]\d[A-Z] \d[A-Z]\d)(?!\w)"
)
_GAP = r"[ ,.\n\r\t]{1,6}"
FLAT = re.compile(rf"[ ,.\n\r\t?>]{{1,8}}(?i:{_UNIT})")
TOWN_AND_CODE = re.compile(
    rf"(?:{_GAP}{_WORD}(?: {_WORD}){{0,3}}){{0,3}}{_GAP}{_POSTCODE}(?:{_GAP}{_WORD}(?= ?(?:\n|$)))?"
)
TOWN = re.compile(rf", {_WORD}(?: {_WORD}){{0,2}}(?= ?(?:[.,;!?\n)]|$))")
TOWN_AFTER_FLAT = re.compile(rf",? {_WORD}(?: {_WORD}){{0,3}}(?: nan)?(?!\w)")

OTHER_HINTS = (
    "box",
    "postf",
    "postb",
    "psc",
    "uss ",
    "usn",
    "uscgc",
    "corner of",
    "apt",
    "suite",
    "ste",
    "po a",
)
OTHERS = re.compile(
    rf"""(?<![\w\-])(?:
      (?:P\.?\ ?O\.?\ ?Box|Postfach|Postbus|PSC)\ \d{{2,6}}(?:,\ Box\ \d{{1,5}})?
    | Unit\ \d{{3,5}},?\ Box\ \d{{3,5}}
    | (?:USS|USNS|USNV|USCGC)\ \w{{2,30}}
    | (?P<corner>(?:the\ )?corner\ of\ (?:[\w'’.\-]{{1,20}}\ ){{1,5}}?and\ [\w'’.\-]{{1,30}}
      (?:\ (?:street|road|avenue|st\.?|ave\.?|lane|drive)\b|(?-i:\ {_WORD})){{0,3}}(?:\ \d{{1,4}})?)
    | (?:Apt|Suite|Ste)\.?\ \#?\d{{1,5}}
    | [APFD]PO,?\ A[AEP]\ \d{{5}}
    )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
STREET_LIKE = re.compile(
    r"(?i)\d|street|road|avenue|\bst\b|\bave\b|lane|straat|straße|gat[ae]|vej|weg|tie|katu"
)
STATE_AND_CODE = re.compile(rf"(?<![\w\-])(?:{US_STATES}) \d{{5}}(?:-\d{{4}})?(?!\w)")

JAPANESE = re.compile(
    r"(?:東京都|北海道|(?:大阪|京都)府|[一-龯]{2,3}県)"
    r"[一-龯ぁ-んァ-ヶー々]{1,16}?[市区町村郡][一-龯ぁ-んァ-ヶー々]{0,16}"
    r"(?:[\d一二三四五六七八九十]{1,4}(?:丁目|番地?|号|[\-−ー]|"
    r"の)?){0,5}(?:[ 　]?[一-龯ァ-ヶーA-Za-z]{2,16}\d{1,4}号室?)?"
)
ROMANISED = re.compile(
    r"(?<![\w\-])\d{1,4}(?:-\d{1,4}){1,2},? [A-Z][a-z]+(?:[ ,\-]{1,2}[A-Z]?[a-z]+){0,4}-(?:ku|shi|cho|"
    r"machi|to|fu|ken)"
    r"(?:,? [A-Z][a-z]+)?(?:,? \d{3}-\d{4})?(?!\w)"
)
