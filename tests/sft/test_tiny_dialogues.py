import os
import re
import subprocess
import sys
from operator import add, mul, sub, truediv
from random import Random

import pytest

from sft.tiny.dialogues import MAX_EXCHANGES, Message, conversation, converse
from sft.tiny.text_files import load_library

CONVERSATIONS = 5_000

# The base must not know the example company's trade, its products or its rules.
BANNED = """
manga | mangas | mangaka | mangaassist | anime | comic | comics | otaku | cosplay | manhwa | manhua |
webtoon | shonen | shounen | shojo | seinen | josei | isekai | doujinshi | tankobon | light novel |
graphic novel | artbook | box set | omnibus | volume | volumes | edition | editions | paperback |
hardcover | reprint | reprints | preorder | preorders | pre-order | pre-orders | pre-ordered | backorder
| bookshop | bookstore | return policy | refund | refunds | refunded | shipping | shipment | parcel |
parcels | tracking number | order number | store credit | gift card | gift voucher | loyalty points | in
stock | out of stock | restock | restocked | naruto | one piece | dragon ball
"""


@pytest.fixture(scope="module")
def corpus() -> list[list[Message]]:
    return [conversation(7, index) for index in range(CONVERSATIONS)]


def contents(corpus: list[list[Message]], role: str = "") -> list[str]:
    return [message["content"] for talk in corpus for message in talk if role in ("", message["role"])]


def exchanges(talk: list[Message]) -> list[tuple[str, str]]:
    turns = [message["content"] for message in talk if message["role"] != "system"]
    return list(zip(turns[::2], turns[1::2], strict=True))


def test_a_conversation_depends_only_on_seed_and_index() -> None:
    backwards = [conversation(7, index) for index in reversed(range(50))]
    assert backwards[::-1] == [conversation(7, index) for index in range(50)]


def test_another_process_makes_the_same_conversations() -> None:
    code = "from sft.tiny.dialogues import conversation as c; print([c(7, index) for index in range(2_000)])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_other_seeds_make_other_conversations(corpus: list[list[Message]]) -> None:
    seen = {str(talk) for talk in corpus}
    assert len(seen) > 0.99 * CONVERSATIONS
    repeated = sum(str(conversation(8, index)) in seen for index in range(1_000))
    assert repeated < 10


def test_roles_alternate_and_every_message_says_something(corpus: list[list[Message]]) -> None:
    for talk in corpus:
        roles = [message["role"] for message in talk]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * (len(turns) // 2)
        assert 1 <= len(turns) // 2 <= MAX_EXCHANGES
        assert all(message["content"].strip() for message in talk)
    with_system = sum(talk[0]["role"] == "system" for talk in corpus) / CONVERSATIONS
    assert 0.55 < with_system < 0.65


def test_every_scenario_plays_without_a_slot_left_over() -> None:
    for scenario in load_library().scenarios.values():
        for seed in range(30):
            for message in converse(scenario, Random(seed)):
                assert not re.search(r"[<>#@_|\\]|\(n\)|\bFORM\b|  | [.,;!]", message["content"]), (
                    scenario.name,
                    message["content"],
                )


def test_the_shop_is_not_in_it(corpus: list[list[Message]]) -> None:
    words = "|".join(word.strip() for word in BANNED.replace("\n", " ").split("|"))
    banned = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    assert banned.search("Two Manga volumes") and not banned.search("a mangal in the garden")
    found = [match.group() for text in contents(corpus) if (match := banned.search(text))]
    assert found == []


def test_the_vocabulary_and_the_phrases_are_rich(corpus: list[list[Message]]) -> None:
    texts = contents(corpus)
    words = [re.findall(r"[A-Za-zÀ-ÿ']+", text.lower()) for text in texts]
    assert len({word for text in words for word in text}) > 6_000
    fourgrams = [tuple(text[start : start + 4]) for text in words for start in range(len(text) - 3)]
    assert len(set(fourgrams)) / len(fourgrams) > 0.35
    assert max(len(text.split()) for text in contents(corpus, "assistant")) <= 130


def test_other_scripts_occur_a_little(corpus: list[list[Message]]) -> None:
    texts = contents(corpus)
    for pattern in (r"[ぁ-ヿ]", r"[一-鿿]", r"[а-я]", r"[éüñõ]", r"[😀-🙏👍🎉]"):
        share = sum(bool(re.search(pattern, text)) for text in texts) / len(texts)
        assert 0 < share < 0.1, pattern


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("introduce", r"(?:name is|call me) (\w+)"),
        ("hotel_booking", r"(?:name is|it's|it for|under) ([\w ]+?)\.?$"),
        ("hotel_stay", r"room (\d{3})"),
        ("status_ready", r"([a-z]{2}-\d{4})"),
        ("change_details", r"(?:address is|down:|now) (\d+ [\w ]+), "),
        ("reschedule", r"(?:name is|it's for) ([\w ]+?)\.?$"),
        ("spell_name", r"it's ([\w-]+)\.?$"),
        ("invitation", r"i'm (\w+)\.?$"),
        ("number_correction", r"(\w+ \w+) and \w+ \w+\.?$"),
        ("pizza_order", r"pizzas (with [\w ]+ and [\w ]+)"),
        ("match_report", r"\. (.+?) (?:scored|got) "),
    ],
)
def test_what_the_user_says_comes_back_in_the_answer(scenario: str, said: str) -> None:
    checked = 0
    for seed in range(200):
        # Only the opening: a later exchange may belong to another scenario.
        for user, answer in exchanges(converse(load_library().scenarios[scenario], Random(seed)))[:2]:
            if match := re.search(said, user, re.IGNORECASE):
                assert match.group(1).lower() in answer.lower(), (user, answer)
                checked += 1
    assert checked > 50


@pytest.mark.parametrize(
    ("scenario", "question", "answer"),
    [
        ("two_people", r"(\w+) is an? {job} ", "who is the {job}"),
        ("who_did_it", r"(?:^|and )(\w+) {deed}[,.]", "who {deed}"),
    ],
)
def test_facts_of_the_first_message_answer_later_questions(scenario: str, question: str, answer: str) -> None:
    slot = re.search(r"{(\w+)}", answer)
    assert slot
    checked = 0
    for seed in range(150):
        talk = exchanges(converse(load_library().scenarios[scenario], Random(seed)))
        story = talk[0][0].lower()
        for user, reply in talk[1:2]:
            asked = re.search(answer.replace(slot.group(), r"([^?]+)") + r"\?", user.lower())
            known = asked and re.search(
                question.replace(slot.group(), re.escape(asked.group(1))), story + " "
            )
            if known:
                assert known.group(1) in reply.lower(), (story, user, reply)
                checked += 1
    assert checked > 50


def test_every_sum_in_an_answer_is_right(corpus: list[list[Message]]) -> None:
    operations = {
        "plus": add,
        "minus": sub,
        "times": mul,
        "divided by": truediv,
        "+": add,
        "-": sub,
        "/": truediv,
    }
    number = r"\$?(\d[\d,.]*\d|\d)"
    names = "|".join(map(re.escape, operations))
    pattern = re.compile(rf"(?<![\d.+]){number} ({names}) {number} (?:is|leaves|makes|=) {number}")
    checked = 0
    for text in contents(corpus, "assistant"):
        for a, operation, b, result in pattern.findall(text):
            if "+ " + a in text:
                continue  # the end of a longer sum
            first, second, third = (float(digits.replace(",", "")) for digits in (a, b, result))
            assert operations[operation](first, second) == pytest.approx(third), text
            checked += 1
    assert checked > 90
