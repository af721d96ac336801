import numpy as np
import pytest

from data_pipeline.quality.claims import NAME
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.quality.factuality import FactCheck, Finding, factuality, worst
from data_pipeline.quality.statements import Statements
from tests.data_pipeline.quality.company import PASSAGES, dialogue

CHECK = FactCheck(Statements(PASSAGES))
NO_PRIOR = np.zeros(3)


def findings(talk: Dialogue) -> list[Finding]:
    return CHECK.findings(talk, NO_PRIOR)


def margins(reply: str, question: str = "Can I return the tent?") -> list[tuple[object, bool]]:
    """Values with whether another one fits better."""
    return [(found.claim.value, found.margin > 0) for found in findings(dialogue(question, reply))]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Tents can be returned within 30 days of delivery.", [(720, False)]),
        ("Tents can be returned within 14 days of delivery.", [(336, True)]),
        ("You may return it for thirty days after delivery.", [(720, False)]),
        ("The label costs $6.", [(6, False)]),
        ("The label costs $9.", [(9, True)]),
        ("Standard shipping is $4 and free from $50.", [(4, False), (50, False)]),
        ("Standard shipping is free from $80.", [(80, True)]),
        ("Poles are repaired at Harbour Street.", [("Harbour Street", False)]),
        ("Torn poles are repaired at Mill Lane.", [("Mill Lane", True)]),
        ("The short pole has a length of 2.4 metres.", [(2400, False)]),
        ("The short pole has a length of 260 cm.", [(2600, True)]),
        ("It is packed until 4 p.m.", [(960, False)]),
    ],
)
def test_claims_against_the_knowledge_base(reply: str, expected: list[tuple[object, bool]]) -> None:
    assert margins(reply) == expected


def test_what_the_customer_said_first_is_not_checked() -> None:
    assert findings(dialogue("My tent is 14 days old.", "After 14 days it can be returned.")) == []
    found = findings(
        dialogue("My tent is old.", "It can be returned within 14 days.", "14 days?", "Yes, 14 days.")
    )
    assert [each.claim.value for each in found] == [336]  # the agent said it first, and is checked for that


def test_what_a_tool_found_is_not_checked() -> None:
    messages = dialogue("What did I pay for the label?", "One moment.", "?", "It was $9.").messages
    with_tool = [*messages[:2], {"role": "tool", "content": '{"label": "$9"}'}, *messages[3:]]
    assert findings(Dialogue(with_tool)) == []  # type: ignore[arg-type]


def test_quoted_mail_is_not_the_customer_speaking() -> None:
    talk = dialogue(
        "Returns?", "Within 14 days.", "Sure?\n> Within 14 days.", "Tents can be returned in 14 days."
    )
    assert [found.margin > 0 for found in findings(talk)] == [True, True]


def test_an_agents_arithmetic_is_hardly_a_contradiction() -> None:
    [plain] = findings(dialogue("Is shipping free?", "Standard shipping is free for $30."))
    [computed] = findings(
        dialogue(
            "Is shipping free for $20?", "You need $30 more for free standard shipping, as $50 is the price."
        )
    )[:1]
    assert computed.claim.value == plain.claim.value == 30
    assert 0 < computed.margin < plain.margin / 2


def test_allowing_what_is_forbidden() -> None:
    found = findings(dialogue("Bag?", "Sleeping bags can be returned for hygiene."))
    assert [each.claim.unit for each in found] == ["stance"]
    assert factuality(found) == 0.0
    assert findings(dialogue("Bag?", "Sleeping bags cannot be returned for hygiene.")) == []


def test_relevance_decides_between_articles() -> None:
    talk = dialogue("How long do I have?", "You have 2 weeks.")
    repairs, returns = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
    [right], [wrong] = (CHECK.findings(talk, prior) for prior in (repairs, returns))
    assert right.margin < 0
    assert right.margin < wrong.margin


def finding(margin: float, aligned: float = 0.9) -> Finding:
    [found] = findings(dialogue("?", "The label costs $6."))
    return Finding(found.claim, found.sentence, aligned, 0.0, found.statement, margin)


@pytest.mark.parametrize(
    ("margin", "expected"),
    [(-0.9, 1.0), (-0.3, 1.0), (-0.15, 0.75), (0.0, 0.5), (0.15, 0.25), (0.3, 0.0), (1.0, 0.0)],
)
def test_factuality_of_a_margin(margin: float, expected: float) -> None:
    assert factuality([finding(margin), finding(-2.0)]) == pytest.approx(expected)


def test_nothing_to_check_is_not_measured() -> None:
    assert factuality([]) is None
    assert worst([finding(0.9, aligned=0.1)]) is None
    assert factuality(findings(dialogue("Hello", "Good morning, how can I help?"))) is None


def test_statements_are_sentences_and_rows() -> None:
    statements = Statements(PASSAGES)
    assert [item.text for item in statements.items if item.article == 1] == [
        "| Standard | 3 to 5 days | $4, free from $50 |",
        "| Express | 1 day | $12 |",
        "Parcels are packed in the hall at **Mill Lane** until 4 p.m.",
    ]
    row = next(item for item in statements.items if item.text.startswith("| Short"))
    assert [(claim.value, claim.unit) for claim in row.claims] == [(2400, "millimetres")]
    assert row.context == "Repairs | Pole | Length (cm) |"
    assert [claim.value for item in statements.items for claim in item.claims if claim.unit == NAME] == [
        "Mill Lane",
        "Harbour Street",
    ]


def test_similarity_is_a_cosine() -> None:
    statements = Statements(PASSAGES)
    label = {"label": 1.0, "cost": 1.0, "6": 1.0, "returning": 0.4, "tent": 0.4}  # the title counts less
    scores = statements.similarities(label)
    assert int(scores.argmax()) == 1
    assert scores.max() == pytest.approx(1.0)
    assert statements.similarities({}).max() == 0.0
    assert statements.similarities({"unheard": 1.0}).max() == 0.0
