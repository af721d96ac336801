from data_pipeline.diversity.gist import gist


def test_the_first_question_and_the_longer_of_the_first_two_answers():
    messages = [
        {"role": "system", "content": "Answer kindly."},
        {"role": "user", "content": "q" * 400},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "a" * 400},
        {"role": "assistant", "content": "b" * 500},
    ]
    assert gist(messages) == "q" * 300 + "\n" + "a" * 300


def test_without_an_answer_or_anything():
    assert gist([{"role": "user", "content": "Where is it?"}]) == "Where is it?"
    assert gist([]) == ""
