"""Finds names by their variants, in one pass over a text however many they are."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common.errors import UserError
from data_pipeline.steps.config import MentionsConfig

_KATAKANA = "\u30a1-\u30ff\uff66-\uff9f"
_NO_SPACES = f"{_KATAKANA}\u3005-\u3007\u3040-\u30a0\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\u0e00-\u0e7f"
"""Scripts that put no spaces between words, and Korean, whose particles follow a word without one."""
_WORD = f"[^\\W{_NO_SPACES}]"

_URL = r"https?://[!-;=?-~]+|(?<![\w.@/-])www\.[a-z0-9-]+\.[!-;=?-~]+"
_ADDRESS = r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
_MAY_HAVE_ADDRESSES = re.compile(r"@|://|www\.", re.IGNORECASE)
_TRAILING = ".,;:!?'\")]}*_>"
_TRACKING = re.compile(
    r"(?:utm_\w+|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi)"
    r"(?:=|$)",
    re.IGNORECASE,
)

_IS_WORD, _IS_KATAKANA = re.compile(_WORD), re.compile(f"[{_KATAKANA}]")

_Trie = dict[str, Any]
_END = ""


class Mentions:
    """Replaces variants by their canonical form: whole words, the longest first, capitals or not.

    Where scripts meet, a word ends, so a Latin name is found between Japanese words; a name in katakana is
    not found within a longer run of katakana. In web addresses, only whole addresses are replaced; mail
    addresses stay as they are.
    """

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        """Raises UserError: a variant belongs to two names."""
        canonical: dict[str, str] = {_key(name): name for name in names}
        for name, variants in names.items():
            for variant in variants:
                if canonical.setdefault(_key(variant), name) != name:
                    other = canonical[_key(variant)]
                    raise UserError(f"'{variant}' is a variant of '{name}' and of '{other}'", "remove one")
        self._urls = {_key(tidy_url(key)): name for key, name in canonical.items() if re.match(_URL, key)}
        self._trie = _trie({key: name for key, name in canonical.items() if not re.match(_URL, key)})
        # Where a name may begin; what stands there is looked up.
        begins = f"(?P<name>{_beginning(self._trie)})" if self._trie else "(?P<name>(?!))"
        self._names = re.compile(f"(?P<url>(?!))|(?P<address>(?!))|{begins}", re.IGNORECASE)
        self._all = re.compile(f"(?P<url>{_URL})|(?P<address>{_ADDRESS})|{begins}", re.IGNORECASE)

    def standardise(self, text: str) -> tuple[str, int]:
        """The text with canonical forms, and how many places have changed."""
        pattern = self._all if _MAY_HAVE_ADDRESSES.search(text) else self._names
        parts: list[str] = []
        changed = done = at = 0
        while match := pattern.search(text, at):
            start = match.start()
            if match["url"]:
                end, new = match.end(), self._tidied(match["url"])
            elif match["address"]:
                at = match.end()
                continue
            elif found := self._longest(text, start):
                end, new = found
            else:
                at = start + 1
                continue
            parts += [text[done:start], new]
            changed += new != text[start:end]
            done = at = end
        return "".join(parts) + text[done:], changed

    def _longest(self, text: str, start: int) -> tuple[int, str] | None:
        """The end of the longest name that stands at a place as a word, and its canonical form."""
        if start and _is_one_word(text[start - 1], text[start]):
            return None
        node = self._trie
        found, at = None, start
        while at < len(text) and (letter := text[at].lower()) in node:
            node, at = node[letter], at + 1
            if _END in node and not (at < len(text) and _is_one_word(text[at - 1], text[at])):
                found = at, node[_END]
            if at < len(text) and text[at].isspace():
                node = node.get(" ", {})
                while at < len(text) and text[at].isspace():
                    at += 1
        return found

    def _tidied(self, found: str) -> str:
        """The canonical form of an address, with the punctuation behind it."""
        url = found.rstrip(_TRAILING)
        if url.count("(") > url.count(")") and found[len(url) :].startswith(")"):
            url += ")"
        tidy = tidy_url(url)
        return self._urls.get(_key(tidy), tidy) + found[len(url) :]


def read_names(config: MentionsConfig) -> dict[str, list[str]]:
    """The names of the config and of its table. Raises UserError: the table is none, or both have a name."""
    names = dict(config.names)
    if config.table is None:
        return names
    for canonical, variants in _read_table(config.table).items():
        if canonical in names:
            raise UserError(f"'{canonical}' is both in names and in '{config.table}'", "remove one")
        names[canonical] = variants
    return names


def _read_table(path: Path) -> dict[str, list[str]]:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError):
        table = None
    if not isinstance(table, dict) or not all(
        isinstance(name, str) and name.strip() and isinstance(variants, list) and all(map(_is_text, variants))
        for name, variants in table.items()
    ):
        fix = "write lines such as 'MangaAssist: [manga assist, Manga-Assist]'; put numbers into quotes"
        raise UserError(f"'{path}' is no table of names with lists of variants", fix)
    return table


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def tidy_url(url: str) -> str:
    """Scheme and host in small letters, and nothing that only tells where a click came from."""
    match = re.match(r"(https?://)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", url, re.IGNORECASE)
    assert match is not None
    scheme, host, path, query, fragment = (part or "" for part in match.groups())
    kept = [part for part in query[1:].split("&") if not _TRACKING.match(part)]
    query = f"?{'&'.join(kept)}" if kept != [""] and kept else ""
    return scheme.lower() + host.lower() + path + query + fragment


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def _trie(words: Mapping[str, str]) -> _Trie:
    """Objects within objects, a character a step; at the end of a word its value."""
    root: _Trie = {}
    for word, value in words.items():
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[_END] = value
    return root


def _beginning(trie: _Trie) -> str:
    """The first characters of all names; of plain Latin ones only where the word begins."""
    latin = "".join(first for first in trie if first.isascii() and first.isalnum())
    others = "".join(re.escape(first) for first in trie if first not in latin)
    classes = [f"(?<![a-z0-9])[{latin}]" if latin else "", f"[{others}]" if others else ""]
    return "|".join(filter(None, classes))


def _is_one_word(left: str, right: str) -> bool:
    """No word ends between two characters."""
    return any(kind.match(left) and kind.match(right) for kind in (_IS_WORD, _IS_KATAKANA))
