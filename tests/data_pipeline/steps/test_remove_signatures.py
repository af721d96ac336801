import copy
from typing import Any

import pytest
from datatrove.data import Document
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.steps.mail_quotes import squash, without_quotes
from data_pipeline.steps.mail_signatures import without_signature
from data_pipeline.steps.remove_signatures import RemoveSignatures, remove_signatures

ANSWER = "We ship on Monday, and you will get a mail with the number."
ASKED = "When do you ship my order?"


@pytest.mark.parametrize(
    "signature",
    [
        "Best regards,\nMia Holt",
        "Kind regards\nDr. Mia van der Holt\nHead of Sales\nHolt & Sons\n+44 20 7946 0958\nmia@example.org",
        "Thanks,\nMia",
        "Cheers,\nO'Neill Jean-Luc",
        "Best,\nMia Holt | MangaAssist",
        "Yours sincerely,\n\nMia Holt",
        "--\nMia Holt\n12 High Street, Flat A\nLarkmoor 00065",
        "--\nmia@example.org",
        "Mit freundlichen Grüßen\nJürgen Müller",
        "Viele Grüße,\nJürgen",
        "Cordialement,\nÉlodie Dupont",
        "Un saludo,\nJosé García",
        "Cordiali saluti\nMario Rossi",
        "Atenciosamente,\nJoão da Silva",
        "敬具\n山田太郎",
        "----------\n山田 太郎\n株式会社マンガ商事\nTEL: 03-0000-0000\nE-mail: t@example.jp\n----------",
        "＊＊＊＊＊＊＊＊\n〒100-0000 東京都千代田区\n携帯 090-0000-0000",
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy S21",
        "Sent from Outlook for iOS",
        "Get Outlook for Android",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPad",
        "Inviato dal mio iPhone",
        "iPhoneから送信",
        "スマートフォンから送信されました。",
    ],
)
def test_a_signature_goes(signature: str) -> None:
    assert without_signature(f"{ASKED}\n\n{signature}") == (ASKED, 1)
    assert without_signature(f"{ASKED}\n{signature}\n\nSent from my phone") == (ASKED, 2)


@pytest.mark.parametrize(
    "text",
    [
        "Best regards,\nMia",
        "Sent from my iPhone",
        f"{ASKED}\nThanks!",
        f"{ASKED}\nThanks",
        f"{ASKED}\nBest regards",
        f"{ASKED}\nThanks, Mia",
        f"{ASKED}\nThanks,\nplease hurry",
        f"{ASKED}\nThanks,\nUrgent",
        f"{ASKED}\nThanks\nMia",
        f"{ASKED}\nThanks,\nOrder MA-1042",
        f"{ASKED}\nThanks,\nMia\nPS: it is order MA-1042",
        f"{ASKED}\nThanks,\nMia\nOr is it lost?",
        f"{ASKED}\nThanks,\nMia\nI will be away from Friday on.",
        f"{ASKED}\nBest,\n{'Mia ' * 30}",
        "I want:\n--\nvolume 3\nvolume 4",
        "I want:\n--\nThe first volume, and then please the second one too.",
        "My options\n-----\nvolume 3\nvolume 4",
        "See\n*****\nhttps://shop.example/p/12\nthe red one",
        f"{ASKED}\nSent from Berlin on Friday",
        f"{ASKED}\nSent from my brother, by mail",
        f"{ASKED}\nGesendet von DHL am Montag",
        f"{ASKED}\n敬具\n在庫はありますか？",
        f"{ASKED}\nよろしくお願いします。\n山田",
        "Sincerely",
        "",
        "\n\n",
    ],
)
def test_what_may_be_the_customers_words_stays(text: str) -> None:
    assert without_signature(text) == (text, 0)


QUOTED = "\n".join(f"> {line}" for line in (f"{ANSWER[:30]}", ANSWER[30:], "", "Best,", "Ines"))
INTRODUCTIONS = [
    "On Mon, Jan 8, 2024 at 7:02 AM Ines <ines@shop.example> wrote:",
    "On Mon, Jan 8, 2024 at 7:02 AM Ines Pike of the MangaAssist Support Team\n<support@shop.example> wrote:",
    "On Monday, Ines Pike wrote:",
    "Am 08.01.2024 um 07:02 schrieb Ines Pike:",
    "Le lun. 8 janv. 2024 à 07:02, Ines Pike <ines@shop.example> a écrit :",
    "El lun, 8 ene 2024 a las 7:02, Ines Pike escribió:",
    "2024年1月8日(月) 7:02 Ines <ines@shop.example>さんは書きました:",
    "-----Original Message-----\nFrom: MangaAssist Support",
    "----- 元のメッセージ -----\n差出人: MangaAssist\n宛先: mia@example.org",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_a_quoted_mail_goes_with_what_introduces_it(introduction: str) -> None:
    below = f"{ASKED}\n\n{introduction}\n{QUOTED}"
    assert without_quotes(below, "") == (ASKED, 1)
    above = f"{introduction}\n\n{QUOTED}\n\n{ASKED}"
    assert without_quotes(above, "") == (ASKED, 1)
    twice = f"{below}\n{introduction}\n{QUOTED}"
    assert without_quotes(twice, "") == (ASKED, 2)


@pytest.mark.parametrize("introduction", [text for text in INTRODUCTIONS if "Monday" not in text])
def test_without_marks_a_mail_goes_to_its_end_or_to_what_was_not_said(introduction: str) -> None:
    text = f"{ASKED}\n\n{introduction}\n\n{ANSWER}\nBest,\nInes"
    assert without_quotes(text, "") == (ASKED, 1)
    assert without_quotes(text, squash(f"{ANSWER}\nBest,\nInes")) == (f"{ASKED}\n\nBest,\nInes", 1)
    answered = f"{introduction}\n{ANSWER}\n\nThat is too late for me."
    assert without_quotes(answered, squash(ANSWER)) == ("That is too late for me.", 1)
    assert without_quotes(answered, "") == (answered, 0)


def test_marked_lines_go_where_they_were_said() -> None:
    text = f"> {ANSWER[:25]}\n> {ANSWER[25:]}\n{ASKED}"
    assert without_quotes(text, squash(f"Hi Mia! {ANSWER}")) == (ASKED, 1)
    dated = f"{ASKED}\n\nFriday, MangaAssist Support (by email):\n> {ANSWER}"
    assert without_quotes(dated, squash(ANSWER)) == (ASKED, 1)
    cut = f"{ASKED}\n> {ANSWER}\n> [...]"
    assert without_quotes(cut, squash(ANSWER)) == (ASKED, 1)


HEADERS = "From: Bank <bank@example.com>\nSent: Monday\nTo: Mia\nSubject: Your card"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("> one volume\n> two volumes please", ""),
        (f"> {ANSWER}", squash(ANSWER)),
        (f"I want\n> {ANSWER}", squash("Something else")),
        ("On Monday, I wrote:\nWhere is it?", ""),
        ("On Monday, your agent wrote:\nit ships today. It did not.", ""),
        ("Monday:\n> rang twice\n> nobody there", squash(ANSWER)),
        (f"Is this from you?\n{HEADERS}\nPlease confirm your card.", ""),
        (f"Is this from you?\n{HEADERS}", ""),
        ("My problem on 8.1.2024:\nit never came", ""),
        ("A: yes\nB: no", ""),
        ("-----\nOriginal Message\n-----", ""),
        ("> 5 days!", "5days"),
    ],
)
def test_what_may_be_the_customers_own_stays(text: str, said: str) -> None:
    assert without_quotes(text, said) == (text, 0)


def test_a_copied_header_goes_where_its_mail_was_said() -> None:
    text = f"{ASKED}\n{HEADERS}\n\n{ANSWER}"
    assert without_quotes(text, squash(ANSWER)) == (ASKED, 1)
    ruled = f"{ASKED}\n________________________________\n{HEADERS}\n\nPlease confirm."
    assert without_quotes(ruled, "") == (ASKED, 1)


def conversation(*texts: str) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]


def test_the_step_counts_and_knows_what_was_said() -> None:
    agent = f"{ANSWER}\n\nBest,\nInes"
    reply = f"Great!\n> {ANSWER}\n> Best,\n> Ines\n\nSent from my phone"
    document = Document(text="", id="x", metadata={"messages": conversation(ASKED, agent, reply)})
    (done,) = RemoveSignatures().run(iter([document]))
    assert [message["content"] for message in done.metadata["messages"]] == [ASKED, ANSWER, "Great!"]
    assert (done.metadata["quotes_removed"], done.metadata["signatures_removed"]) == (1, 2)


def test_a_quotation_is_of_one_message() -> None:
    messages = conversation("We ship on", "Monday, and you", "> We ship on\n> Monday, and you\nGreat!")
    assert remove_signatures(messages) == (0, 0)


def test_what_tools_and_systems_say_stays() -> None:
    text = f"{ASKED}\n\nBest regards,\nMia"
    for role in ("tool", "system"):
        messages = [{"role": role, "content": text}]
        assert remove_signatures(messages) == (0, 0)
        assert messages[0]["content"] == text


@pytest.mark.parametrize(
    "messages", [None, "text", [1, None, {"role": "user"}, {"role": "user", "content": 5}]]
)
def test_what_is_no_list_of_messages_is_left_to_the_check(messages: Any) -> None:
    before = copy.deepcopy(messages)
    assert remove_signatures(messages) == (0, 0)
    assert messages == before


WORDS = [
    "where",
    "is",
    "my",
    "order",
    "it",
    "has",
    "not",
    "come",
    "please",
    "tell",
    "me",
    "3",
    "ok",
    "thanks",
]
PLAIN_LINE = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
MARKS = [
    "Best regards,",
    "Thanks,",
    "--",
    "Mia Holt",
    "mia@example.org",
    "-----------",
    "Sent from my iPhone",
    "> we ship on monday",
    ">",
    "On Mon, Jan 8, 2024 at 7:02 AM Ines <i@x.example> wrote:",
    "-----Original Message-----",
    "2024年1月8日(月) 7:02 Ines <i@x.example>さんは書きました:",
    "From: Ines",
    "Sent: Monday",
    "To: Mia",
    "Subject: x",
    "________________",
    "敬具",
    "山田",
    "株式会社",
    "Really?",
    "",
]


@given(st.lists(PLAIN_LINE, max_size=8).map("\n".join), PLAIN_LINE)
def test_text_without_a_mark_is_unchanged(text: str, earlier: str) -> None:
    messages = conversation(earlier, text)
    assert remove_signatures(messages) == (0, 0)
    assert messages == conversation(earlier, text)


@given(st.text(), st.text())
def test_any_text_comes_out_with_no_new_words(first: str, second: str) -> None:
    messages = conversation(first, second)
    remove_signatures(messages)
    for before, after in zip((first, second), messages, strict=True):
        assert set(after["content"].split()) <= set(before.split())


@given(st.lists(st.sampled_from(MARKS) | PLAIN_LINE, max_size=12).map("\n".join), PLAIN_LINE)
def test_only_whole_lines_go_and_never_all(text: str, earlier: str) -> None:
    messages = conversation(earlier, text)
    quotes, signatures = remove_signatures(messages)
    left = messages[1]["content"]
    assert (left == text) == (quotes + signatures == 0)
    assert bool(left.strip()) == bool(text.strip())
    lines = iter(text.split("\n"))
    assert all(line in lines for line in left.split("\n") if line)  # in their order
    again = conversation(earlier, left)
    _, signatures = remove_signatures(again)
    assert signatures == 0


@given(st.lists(st.sampled_from(MARKS), min_size=1, max_size=6).map("\n".join))
@pytest.mark.parametrize(
    "sentence",
    [
        "My parcel with the two volumes has never come, and nobody answers.",
        "On 8 January 2024 I ordered two volumes.",
        "On Monday I ordered two volumes and",
        "2024年1月8日に注文しました。",
    ],
)
def test_the_customers_sentence_stays_above_any_marks(sentence: str, marks: str) -> None:
    for text in (f"{sentence}\n{marks}", f"{sentence}\n\n{marks}"):
        messages = conversation("Hi", text)
        remove_signatures(messages)
        assert sentence in messages[1]["content"]
