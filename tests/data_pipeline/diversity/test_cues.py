import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.diversity.cues import asks_for_two, complaints, is_request, praises, requests, sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Is this the blue one?",
        "Where do I find my invoice",
        "I'd like to return a lamp.",
        "please send the label again",
        "Cancel order 4711.",
        "注文をキャンセルできますか。",
        "返品したいです。",
        "住所を変更してください。",
    ],
)
def test_requests(sentence):
    assert is_request(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["The lamp came today.", "Thank you for the quick answer!", "よろしくお願いします。", "届きました。", ""],
)
def test_no_requests(sentence):
    assert not is_request(sentence)


@pytest.mark.parametrize(
    "message",
    [
        "My lamp flickers, can I swap it? Another thing: when does the shop in the harbour close?",
        "Where is order 4711?\nPS: my address has changed.",
        "How do I pay by invoice? Also, could you tell me whether the green chair is back?",
        "The desk is scratched, please help. And also. I never got the screws.",
        "Two questions. What does delivery cost, and who builds the shelf?",
        "Do you ship to Malta? While I'm at it: is there a gift wrap?",
        "When will it come? And do you have the same in red?",
        "返品したいです。もう一つ、領収書を送ってください。",
    ],
)
def test_two_requests_in_one_message(message):
    if message.startswith("Two"):
        message = "Hello. " + message
    assert asks_for_two(message)


@pytest.mark.parametrize(
    "message",
    [
        "Where is order 4711? I bought it on Monday, and it has not come.",
        "Is it big? Which colours are there?",
        "Another thing",
        "Hello. Another thing!",
        "The chair is lovely. By the way, the driver was very kind.",
        "One more question about the lamp: is it dimmable?",
        "Do you have a second lamp like this, or something else?",
        "また使いたいです。",
    ],
)
def test_one_request(message):
    assert not asks_for_two(message)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I am so disappointed. This is the third time, and nobody answers.", 3),
        ("This is not a complaint, I am just curious.", 0),
        ("I'm not happy with it.", 1),
        ("Where IS it???", 1),
        ("本当にがっかりしました。最悪です。", 2),
        ("Where is my parcel?", 0),
    ],
)
def test_complaints(text, count):
    assert complaints(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I love the lamp, and your team is wonderful!", 2),
        ("You’re the best!", 1),
        ("It would be perfect if it were blue.", 0),
        ("I am not very happy with the lamp.", 0),
        ("とても嬉しいです。最高！", 2),
        ("Thanks, bye.", 0),
    ],
)
def test_praises(text, count):
    assert praises(text) == count


def test_sentences_and_how_many_of_them_ask():
    text = "Hello! Where is it? 届きません。いつ届きますか。\nThanks."
    assert sentences(text) == ["Hello!", "Where is it?", "届きません。", "いつ届きますか。", "Thanks."]
    assert requests(text) == 2


@given(st.text(max_size=200))
def test_any_text_will_do(text):
    assert 0 <= requests(text) <= len(sentences(text))
    assert complaints(text) >= 0 and praises(text) >= 0
    assert asks_for_two(text) in (True, False)
