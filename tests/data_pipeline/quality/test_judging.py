import json
from pathlib import Path
from typing import Any

import pytest

from common.judge import Judge
from data_pipeline.quality.config import QualityConfig
from data_pipeline.quality.scorer import Scorer
from tests.common.generation.scripted_server import Answer, fails, says, serving
from tests.common.judge.scripted_judge import judge, part
from tests.data_pipeline.quality.company import PASSAGES, Words, dialogue

ASKED = "Can I return my tent?"
WRONG = "Tents can be returned within 3 days of delivery."
TALKS = [dialogue(ASKED, WRONG), dialogue(ASKED, "Tents can be returned within 30 days of delivery.")]


def verdict(coherence: int, accuracy: int | None = None) -> Answer:
    scores = {"coherence": coherence} | ({} if accuracy is None else {"accuracy": accuracy})
    return says(json.dumps({"reason": "So it is.", **scores}))


def scorer(by: Judge, **settings: Any) -> Scorer:
    return Scorer(QualityConfig(**settings), PASSAGES, Words()).judged_by(by)


def test_the_judge_takes_the_place_of_the_rules() -> None:
    with serving(
        lambda request: verdict(5, 4) if WRONG in part(request, "reply") else verdict(2, 5)
    ) as server:
        wrong, right = scorer(judge(server.url)).score(TALKS)
    assert (wrong.components["coherence"], wrong.components["factuality"]) == (1.0, 0.75)
    assert (right.components["coherence"], right.components["factuality"]) == (0.25, 1.0)
    assert (right.coherence_by, right.factuality_by, right.unjudged) == ("judge", "judge", None)


@pytest.mark.parametrize(
    ("accuracy", "flags"), [(5, ()), (4, ()), (3, ("contradiction",)), (1, ("contradiction",))]
)
def test_a_judge_overrules_a_contradiction_found_by_rules(accuracy: int, flags: tuple[str, ...]) -> None:
    with serving(lambda _: verdict(5, accuracy)) as server:
        [wrong] = scorer(judge(server.url)).score(TALKS[:1])
    assert wrong.flags == flags


def test_a_judge_finds_a_contradiction_that_rules_do_not_see() -> None:
    with serving(lambda _: verdict(5, 2)) as server:
        [right] = scorer(judge(server.url)).score(TALKS[1:])
    assert right.flags == ("contradiction",)


def test_what_the_judge_is_shown() -> None:
    talk = dialogue(ASKED, WRONG, "Sure?", "Yes.")
    with serving(lambda _: verdict(5, 5)) as server:
        scorer(judge(server.url)).score([talk])
    [request] = server.requests
    material = request["messages"][-1]["content"]
    assert part(request, "reply") == WRONG
    assert part(request, "user-turn") == ASKED
    assert PASSAGES[0].text in material
    assert "Sure?" not in material


def test_without_a_knowledge_base_accuracy_is_not_asked() -> None:
    with serving(lambda _: verdict(3)) as server:
        [found] = Scorer(QualityConfig()).judged_by(judge(server.url)).score(TALKS[:1])
    assert (found.components["coherence"], found.coherence_by) == (0.5, "judge")
    assert (found.components["factuality"], found.factuality_by) == (None, None)
    assert "accuracy" not in server.requests[0]["messages"][0]["content"]


def test_unjudged_rows_keep_the_rules_scores_and_say_why() -> None:
    by_rules = Scorer(QualityConfig(), PASSAGES, Words()).score(TALKS)
    with serving(lambda _: fails(500)) as server:
        found = scorer(judge(server.url)).score(TALKS)
    assert [each.components for each in found] == [each.components for each in by_rules]
    assert [each.coherence_by for each in found] == ["embedding", "embedding"]
    assert {each.unjudged.split(":")[0] for each in found if each.unjudged} == {"http_500"}


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    with serving(lambda _: verdict(4, 4)) as server:
        first = scorer(judge(server.url, cache=tmp_path)).score(TALKS)
        asked = len(server.requests)
        again = scorer(judge(server.url, cache=tmp_path)).score(TALKS)
    assert asked == len(TALKS) == len(server.requests)
    assert again == first


def test_a_conversation_without_a_question_is_not_asked_about() -> None:
    with serving(lambda _: verdict(4, 4)) as server:
        [found] = scorer(judge(server.url)).score([dialogue("Hello?")])
    assert server.requests == []
    assert found.coherence_by is None
