"""Articles into passages: nothing lost, ids that stay, and files that are no articles named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from common.retrieval.passages import Passage, read_passages, split
from common.retrieval.words import words


def write(folder: Path, name: str, body: str, front: str | None = None) -> Path:
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    front = f"id: {name}\ntitle: About {name}\ntopic: orders\n" if front is None else front
    path.write_text(f"---\n{front}---\n{body}", encoding="utf-8")
    return path


def many(word: str, count: int) -> str:
    return " ".join([word] * count)


def test_a_passage_has_title_heading_and_paragraphs(tmp_path):
    write(
        tmp_path, "returns", "# About returns\n\nSend it back.\n\nWithin 30 days.\n\n## Gifts\n\nThose too.\n"
    )
    assert read_passages(tmp_path) == [
        Passage("returns#1", "returns", "About returns\nSend it back.\nWithin 30 days."),
        Passage("returns#2", "returns", "About returns\nGifts\nThose too."),
    ]


def test_ids_do_not_depend_on_other_articles(tmp_path):
    write(tmp_path, "orders", "One.\n")
    alone = read_passages(tmp_path)
    write(tmp_path, "a/accounts", "Two.\n", "id: accounts\ntitle: Accounts\n")
    both = read_passages(tmp_path)
    assert [passage.id for passage in both] == ["accounts#1", "orders#1"]
    assert both[1:] == alone


def test_paragraphs_share_a_passage_up_to_60_words():
    texts = list(split("T", "\n\n".join(many(word, 25) for word in ("one", "two", "six", "ten"))))
    assert texts == [f"T\n{many('one', 25)}\n{many('two', 25)}", f"T\n{many('six', 25)}\n{many('ten', 25)}"]


def test_a_long_paragraph_is_cut_at_sentences():
    sentences = [f"{many('word', 39)} end." for _ in range(4)]
    assert list(split("T", " ".join(sentences))) == [f"T\n{sentence}" for sentence in sentences]


def test_a_long_list_is_cut_at_lines():
    lines = [f"- {many('word', 50)}. And more." for _ in range(3)]
    assert list(split("T", "\n".join(lines))) == [f"T\n{line}" for line in lines]


def test_long_japanese_is_cut_at_its_full_stops():
    sentence = "返品したいです" * 10 + "。"
    assert list(split("T", sentence * 2)) == [f"T\n{sentence}"] * 2


def test_what_looks_like_a_heading_in_code_is_none():
    code = "```\n# install\n\npip install x\n```"
    assert list(split("T", f"Do this:\n\n{code}\n\n# Next\n\nThat.")) == [
        f"T\nDo this:\n{code}",
        "T\nNext\nThat.",
    ]


@given(st.text(alphabet="ab `\n.。返品-", max_size=600))
def test_no_word_is_lost_and_none_moves(body):
    assert [word for text in split("Title", body) for word in words(text)[1:]] == words(body)


def test_a_windows_file_with_a_byte_order_mark_is_read(tmp_path):
    front = "\ufeff---\r\nid: a\r\ntitle: A\r\n---\r\nOne.\r\n\r\nTwo.\r\n"
    (tmp_path / "a.md").write_bytes(front.encode())
    assert read_passages(tmp_path) == [Passage("a#1", "a", "A\nOne.\nTwo.")]


@pytest.mark.parametrize(
    "content",
    [
        "# Returns\n\nNo front matter.\n",
        "---\nid: returns\n---\nNo title.\n",
        "---\ntitle: Returns\n---\nNo id.\n",
        "---\nid: returns\ntitle: Returns\nNever closed.\n",
        "---\n- id\n- title\n---\nA list.\n",
        "---\nid: [\n---\nNot YAML.\n",
    ],
)
def test_a_file_without_front_matter_is_named(tmp_path, content):
    write(tmp_path, "good", "Fine.\n")
    (tmp_path / "bad.md").write_text(content)
    with pytest.raises(UserError, match=r"bad\.md' has no front matter with id and title"):
        read_passages(tmp_path)


def test_two_articles_with_one_id_are_named(tmp_path):
    write(tmp_path, "a", "One.\n")
    write(tmp_path, "b", "Two.\n", "id: a\ntitle: Also a\n")
    with pytest.raises(UserError, match=r"a\.md' and '.*b\.md' have the same id: a"):
        read_passages(tmp_path)


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_a_folder_without_articles_is_named(tmp_path, folder):
    with pytest.raises(UserError, match="holds no articles"):
        read_passages(tmp_path / folder)


def test_an_article_without_text_is_named(tmp_path):
    write(tmp_path, "a", "# About a\n")
    with pytest.raises(UserError, match=r"a\.md' holds no text"):
        read_passages(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "a.md").write_bytes("---\nid: a\ntitle: é\n---\nText.\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.md' is not UTF-8"):
        read_passages(tmp_path)
