from alignment.pairs.checks import Repetitions, equal_sides, near, prompt_key
from alignment.pairs.formats import Pair
from data_pipeline.level1.compared import squeeze
from data_pipeline.level1.config import NearDuplicates


def pair(asked: str, chosen: str, rejected: str, system: str | None = None) -> Pair:
    prompt = [{"role": "user", "content": asked}]
    if system:
        prompt.insert(0, {"role": "system", "content": system})
    return Pair("1", prompt, chosen, rejected)  # type: ignore[arg-type]


def test_sides_that_differ_in_case_and_signs_only_are_equal() -> None:
    assert equal_sides(pair("a", "It's on its way!", "its ON its way")) == "equal_sides"
    assert equal_sides(pair("a", "Ask [NAME].", "Ask [EMAIL].")) == "equal_sides"


def test_one_word_or_number_makes_a_pair() -> None:
    assert equal_sides(pair("a", "Within 14 days.", "Within 40 days.")) is None
    assert equal_sides(pair("a", "You can return it.", "You can't return it.")) is None


def test_repetitions_and_contradictions() -> None:
    repetitions = Repetitions()
    assert repetitions.reason(pair("Where is it?", "Here.", "Gone.")) is None
    assert repetitions.reason(pair("where is it", "here", "gone", system="You help.")) == "repeated"
    assert repetitions.reason(pair("Where is it?", "Gone.", "Here.")) == "contradicts_earlier"
    assert repetitions.reason(pair("Where is it?", "Here.", "Lost.")) is None


def test_the_system_message_is_no_part_of_a_prompts_key() -> None:
    assert prompt_key(pair("Hi!", "a", "b", system="x")) == prompt_key(pair("hi", "a", "b"))
    assert prompt_key(pair("Hi!", "a", "b")) != prompt_key(pair("Ho!", "a", "b"))


def test_near_finds_what_differs_in_a_word() -> None:
    others = [squeeze("My order of last week has not come yet, and I want to know where my box is.")]
    texts = [
        squeeze("My order of last week hasn't come yet, and I want to know where my box is!"),
        squeeze("My order of last week has come, thank you, and now I want to send half of it back to you."),
        others[0],
    ]
    assert near(texts, others, NearDuplicates()) == {0, 2}
    assert near(texts, [], NearDuplicates()) == set()
    assert near([], others, NearDuplicates()) == set()
