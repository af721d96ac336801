"""Signatures: what stands under a mail whatever is in it.

A signature is taken for one by its form, not by its place alone: the mark of a phone; a closing, or the line
`--`, with a name below it; a rule with contact data below it. Where a line below them asks or tells more,
it is none, and all of it stays.
"""

import re

_DEVICE = (
    r"(?:i-?phone|i-?pad|android|galaxy|pixel|samsung|huawei|xiaomi|blackberry|smart-?phone|phone|tablet"
    r"|mobile|cell|handy|m[óo]vil|portable|telefone|cellulare|telefoon)"
)
_PROGRAM = r"(?:outlook|gmail|yahoo ?mail|proton ?mail|mail for windows|windows mail|web\.de|gmx|aol)"
_FROM_MY = (
    r"sent (?:from|via|using|with) my|von meinem|envoyé (?:de|depuis) mon|enviado (?:desde mi|do meu)"
    r"|inviato dal? mio|verzonden vanaf mijn"
)
_PHONE = re.compile(
    rf"(?:{_FROM_MY}) (?:[\w.+'-]+ ){{0,3}}{_DEVICE}\b(?: [\w.+'-]+){{0,4}}\.?"
    rf"|(?:sent|gesendet|envoyé|enviado|inviato|verzonden) \w+ (?:[\w.+'-]+ ){{0,2}}"
    rf"(?:i-?phone|i-?pad|android|galaxy|{_PROGRAM})\b(?: [\w.+'-]+){{0,4}}\.?"
    r"|get outlook for (?:ios|android)\.?"
    rf"|(?:\w+の)?(?:{_DEVICE}|{_PROGRAM}|スマートフォン|スマホ|携帯電話|携帯)から送信(?:されました|しました)?。?"
    r"|发自我的[\w ]{1,20}",
    re.IGNORECASE,
)
_DELIMITER = re.compile(r"(?:--|—|―) ?")
_RULE = re.compile(r"([-=_*+#~.・＊━─―—～◆◇■□☆★〇○])\1{4,}|(?:[-=_*+~・＊━─―—～◆◇■□☆★]{2} ?){3,}")
_CONTACT = re.compile(
    r"〒|\b(?:tel|phone|fax|e-?mail|mobile|mob)\b ?[.:：]|電話|携帯|メール|株式会社|有限会社|合同会社|担当"
    r"|住所|\w@\w|署名|\+\d[\d ()-]{6,}",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:with )?(?:my )?(?:best|kind|warm|kindest|warmest)(?: regards| wishes)?|regards|all the best"
    r"|take care|(?:yours )?(?:sincerely|faithfully|truly)(?: yours)?|respectfully"
    r"|(?:mit )?(?:freundlich|best|lieb|herzlich|viel|schön)en? grü(?:ß|ss)e?n?|mfg|lg|vg"
    r"|(?:bien )?cordialement|bien à vous|(?:sincères |meilleures )?salutations"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|(?:cordiali|distinti) saluti"
    r"|atenciosamente|cumprimentos|敬具|草々",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:many |with )?(?:thanks|thank you|thx)(?: again| so much| very much| a lot| in advance)*|cheers"
    r"|(?:vielen )?dank(?:e)?(?: im voraus)?|merci(?: d'avance)?|gracias|grazie|obrigad[oa]",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w.'-]*")
_PARTICLES = {"al", "and", "bin", "da", "de", "del", "den", "der", "di", "e", "el", "la", "le", "of", "the"}
_PARTICLES |= {"van", "von", "y"}
_NO_NAMES = {"again", "also", "answer", "asap", "best", "but", "bye", "cancel", "cheers", "dear", "hello"}
_NO_NAMES |= {"help", "hey", "hi", "no", "number", "ok", "okay", "order", "please", "ps", "re", "refund"}
_NO_NAMES |= {"regards", "sorry", "thank", "thanks", "urgent", "waiting", "yes"}
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af々〆ー]+")
_MOST_LINES, _WIDEST = 8, 80


def without_signature(text: str) -> tuple[str, int]:
    """The text without what is signed under it, and how many parts that had (a name, the mark of a phone).

    Text that is nothing but a signature stays as it is.
    """
    if "\n" not in text:
        return text, 0
    lines = text.split("\n")
    removed = 0
    while (start := _start(lines)) is not None:
        removed += 1
        lines = lines[:start]
        while lines and not lines[-1].strip():
            lines.pop()
    return ("\n".join(lines), removed) if removed else (text, 0)


def _start(lines: list[str]) -> int | None:
    """Where the last part of the signature begins; only behind some text."""
    last = len(lines) - 1
    while last > 0 and not lines[last].strip():
        last -= 1
    if last > 0 and len(lines[last]) <= _WIDEST and _PHONE.fullmatch(lines[last].strip()):
        return last if _has_text(lines[:last]) else None
    below: list[str] = []
    for index in range(last, 0, -1):
        line = lines[index].strip()
        if below and _opens(line, below[::-1]) and _has_text(lines[:index]):
            return index
        if line:
            below.append(line)
        if len(below) > _MOST_LINES or _says_something(line):
            return None
    return None


def _has_text(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _opens(line: str, below: list[str]) -> bool:
    """`line` and the lines below it, all of them short, are a signature."""
    if _DELIMITER.fullmatch(line):
        return _is_name(below[0]) or any(map(_CONTACT.search, below))
    if _RULE.fullmatch(line):
        return len(below) > 1 and any(map(_CONTACT.search, below))
    closing = line.rstrip(",.!、。 ")
    if _CLOSING.fullmatch(closing) or (line.endswith(",") and _THANKS.fullmatch(closing)):
        return len(below) <= 6 and _is_name(below[0])
    return False


def _says_something(line: str) -> bool:
    """A question, a sentence, an afterword: not what stands in a signature."""
    if len(line) > _WIDEST or "?" in line or "？" in line:
        return True
    words = line.split()
    if words and words[0].lower().rstrip(":.,") in ("ps", "p.s", "pps", "nb"):
        return True
    if len(line) >= 8 and line.endswith(("。", "！")):
        return True
    return len(words) > 12 or (len(words) >= 5 and line.endswith((".", "!", "…")))


def _is_name(line: str) -> bool:
    """One to five words with capitals, or a short word in Japanese, Chinese or Korean."""
    line = line.strip(" ,.|-")
    if _CJK.fullmatch(line.replace(" ", "").replace("　", "")):
        return len(line) <= 12
    words = [word for word in re.split(r"[ ,|/&]+", line) if word]
    if not 1 <= len(words) <= 6 or len(line) > 48:
        return False
    return all(
        _WORD.fullmatch(word)
        and (word[0].isupper() or word in _PARTICLES)
        and word.lower().rstrip(".") not in _NO_NAMES
        for word in words
    )
