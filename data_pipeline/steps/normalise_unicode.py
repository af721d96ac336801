"""One form for what looks the same, without harm to Japanese and other scripts."""

import re
import unicodedata

from data_pipeline.steps.message_text import MessageTextStep

# Japanese and Chinese write these so; the other full-width forms are Latin text in disguise.
_WIDE_KEPT = "！（），：；？［］｛｝～"
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in _WIDE_KEPT}
_QUOTES = dict.fromkeys(map(ord, "‘’‛ʼ"), "'") | dict.fromkeys(map(ord, "“”„‟"), '"')
_HYPHENS = {0x2010: "-", 0x2011: "-"}
_SIGNS = {0xFFE0: "¢", 0xFFE1: "£", 0xFFE5: "¥", 0xFFE6: "₩"}
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_LINES = dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028, 0x2029], "\n")
_CONTROLS = [*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]
_INVISIBLE = [0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
_TABLE: dict[int, int | str | None] = {
    **_WIDE, **_QUOTES, **_HYPHENS, **_SIGNS, **_SPACES, **_LINES, **dict.fromkeys(_CONTROLS + _INVISIBLE),
}  # fmt: skip

_PLAIN = re.compile(r"[\t\n -~]*")
_HALF_WIDTH_KATAKANA = re.compile("[\uff61-\uff9f]+")
# Joiners build emoji and shape Indic and Persian words; elsewhere they only hide.
_OTHER = "[^\x00-\x7f\u200c\u200d]"
_JOINERS = re.compile(f"(?<!{_OTHER})[\u200c\u200d]+|[\u200c\u200d]+(?!{_OTHER})")


class NormaliseUnicode(MessageTextStep):
    """See `normalise_unicode`."""

    name = "Unicode"

    def format(self, text: str) -> str:
        return normalise_unicode(text)


def normalise_unicode(text: str) -> str:
    """Return `text` in Unicode's NFC, with these foldings; doing it again changes nothing.

    Full-width letters, digits and signs become plain ones, half-width katakana full ones, typographic quotes
    and hyphens straight ones, all spaces a space, all line breaks a newline. Control, zero-width and
    direction characters go. NFKC would do more, and harm: "①" to "1", "㈱" to "(株)", "½" to "1⁄2".
    """
    if _PLAIN.fullmatch(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TABLE)
    text = _HALF_WIDTH_KATAKANA.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    text = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", _JOINERS.sub("", text))
