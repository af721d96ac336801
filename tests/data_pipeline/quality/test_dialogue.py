from common.chat import Message
from data_pipeline.quality.dialogue import Dialogue, without_quotes
from tests.data_pipeline.quality.company import dialogue


def test_turns_pair_replies_with_their_questions() -> None:
    talk = dialogue(
        "Where?", "Hi! In the hall.", "And when?", "Thanks for asking. At noon. Bye now and take care."
    )
    assert [(turn.question, turn.core) for turn in talk.turns] == [
        ("Where?", ("In the hall.",)),
        ("And when?", ("At noon.", "Bye now and take care.")),
    ]
    assert talk.main is talk.turns[1]
    assert (talk.opening, talk.last_words) == ("Where?", "And when?")


def test_system_and_tools_are_no_turns() -> None:
    messages: list[Message] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": '{"name": "find", "arguments": {"number": "1"}}'},
        {"role": "tool", "content": "in the depot"},
        {"role": "assistant", "content": "It is in the depot."},
    ]
    talk = Dialogue(messages)
    assert [(turn.question, turn.reply) for turn in talk.turns] == [("Where is it?", "It is in the depot.")]
    assert talk.text == "Where is it?\n\nIt is in the depot."


def test_of_equal_replies_the_first_is_the_main_one() -> None:
    talk = dialogue("a", "It is red.", "b", "It is hot.")
    assert talk.main is talk.turns[0]


def test_a_reply_of_stock_phrases_has_its_own_text() -> None:
    [turn] = dialogue("a", "You're welcome!").turns
    assert (turn.core, turn.text) == ((), "You're welcome!")


def test_what_was_cut_are_the_last_words() -> None:
    assert dialogue("a", "b", cut=["Thanks!"]).last_words == "Thanks!"
    assert dialogue("a", "b").last_words is None


def test_quoted_mail_is_not_said_again() -> None:
    mail = "why?\n\nOn Friday, Bo Bell wrote:\n> Within 10 days.\n> Bye"
    assert without_quotes(mail) == "why?"
    assert without_quotes("> all\n> quoted") == ""
    assert without_quotes("5 > 3, isn't it") == "5 > 3, isn't it"


def test_nobody_has_answered() -> None:
    talk = dialogue("Hello?")
    assert (talk.turns, talk.main, talk.opening) == ([], None, "")
