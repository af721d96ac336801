"""The figures, against presidio-evaluator's own and against hand-made cases."""

import gzip
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import UserError
from data_pipeline.pii.config import PLACEHOLDERS
from data_pipeline.pii.evaluate import Annotated, compare, main, read_annotated
from data_pipeline.pii.labels import FINE, TYPED
from data_pipeline.pii.scoring import Token, score, skip_words, tags, tokenize, type_blind
from data_pipeline.pii.spans import Span


def _spans(text: str, *marked: tuple[str, str]) -> tuple[Span, ...]:
    return tuple(Span(text.index(part), text.index(part) + len(part), name, 1.0) for name, part in marked)


def _compare(
    text: str, truth: Sequence[tuple[str, str]], found: Sequence[tuple[str, str]]
) -> dict[str, object]:
    return compare([Annotated(text, _spans(text, *truth))], [_spans(text, *found)])


def test_found() -> None:
    text = "Jo Field lives in Leeds"
    figures = _compare(text, [("PERSON", "Jo Field")], [("PERSON", "Jo Field")])
    assert (figures["precision"], figures["recall"], figures["f2"]) == (1, 1, 1)


def test_the_wrong_type_is_right_for_the_type_blind_score_only() -> None:
    text = "Kumori Press employs Jo Field"
    truth = [("ORGANIZATION", "Kumori Press"), ("PERSON", "Jo Field")]
    figures = _compare(text, truth, [("PERSON", "Kumori Press"), ("PERSON", "Jo Field")])
    assert figures["recall"] == 0.5
    assert figures["type_blind"] == {"precision": 1, "recall": 1, "f2": 1}


def test_less_than_nine_tenths_is_a_miss_and_a_false_alarm() -> None:
    figures = _compare("Jo Field-Winter came", [("PERSON", "Jo Field-Winter")], [("PERSON", "Jo Field")])
    assert (figures["precision"], figures["recall"]) == (0, 0)


def test_skip_words_at_the_ends_and_between_do_not_count() -> None:
    text = "at 5 Inkwell Street, Leeds"
    figures = _compare(
        text, [("ADDRESS", "5 Inkwell Street"), ("GPE", "Leeds")], [("ADDRESS", "5 Inkwell Street, Leeds")]
    )
    assert figures["f2"] == 1
    fine = figures["fine"]
    assert isinstance(fine, dict) and fine["recall"] == 0


def test_two_names_with_a_skip_word_between_are_one_span() -> None:
    text = "Kumori Press and Jo Field"
    truth = [("ORGANIZATION", "Kumori Press"), ("PERSON", "Jo Field")]
    figures = _compare(text, truth, [("PERSON", "Kumori Press"), ("PERSON", "Jo Field")])
    assert (figures["recall"], figures["type_blind"]) == (0, {"precision": 1, "recall": 1, "f2": 1})


def test_types_that_the_file_never_labels_are_no_false_alarms() -> None:
    text = "Jo Field is 34"
    figures = _compare(text, [("PERSON", "Jo Field")], [("PERSON", "Jo Field"), ("AGE", "34")])
    assert (figures["precision"], figures["type_blind"]) == (1, {"precision": 1, "recall": 1, "f2": 1})


def test_our_types_and_those_of_the_known_files_are_mapped() -> None:
    known = """PERSON STREET_ADDRESS GPE ORGANIZATION PHONE_NUMBER DATE_TIME TITLE CREDIT_CARD US_SSN AGE NRP
        ZIP_CODE EMAIL_ADDRESS DOMAIN_NAME IP_ADDRESS IBAN_CODE US_DRIVER_LICENSE ADDRESS LOCATION PREFIX"""
    assert {*known.split(), *PLACEHOLDERS} <= set(TYPED)
    assert set(TYPED) == set(FINE)


def test_a_file_of_another_format(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"full_text": "a", "spans": []}\n{"text": "b"}\n', encoding="utf-8")
    with pytest.raises(UserError, match="line 2"):
        read_annotated(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="is empty"):
        read_annotated(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out, config = tmp_path / "rows.jsonl.gz", tmp_path / "out" / "pii.json", tmp_path / "pii.yaml"
    config.write_text("detector: null\n", encoding="utf-8")
    text = "Dear Jo Field, mail jo@example.org"
    spans = [
        {
            "entity_type": "EMAIL_ADDRESS",
            "entity_value": "jo@example.org",
            "start_position": 20,
            "end_position": 34,
        },
        {"entity_type": "PERSON", "entity_value": "Jo Field", "start_position": 5, "end_position": 13},
    ]
    with gzip.open(file, "wt", encoding="utf-8") as writer:
        writer.write(json.dumps({"full_text": text, "spans": spans, "template_id": 1}) + "\n")
    assert main([str(file), "--json", str(out), "--config", str(config)]) == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert (figures["precision"], figures["recall"], figures["f2"], figures["n_docs"]) == (1, 1, 1, 1)
    assert figures["docs_per_s"] > 0
    assert figures["by_type"]["PERSON"] == {"precision": 1, "recall": 1, "f2": 1, "support": 1}
    assert figures["label_map"] == {"EMAIL_ADDRESS": "EMAIL_ADDRESS", "PERSON": "PERSON"}
    assert "1.000" in capsys.readouterr().out
    assert main([str(tmp_path / "nothing.jsonl"), "--config", str(config)]) == 1


def _peer(tokens: Sequence[Sequence[Token]], truth: list[list[str]], found: list[list[str]]) -> None:
    """Assert that presidio-evaluator counts as we do, for each type and without types."""
    import pandas as pd
    from presidio_evaluator.evaluation import SpanEvaluator, get_skip_words

    assert set(get_skip_words()) == skip_words()
    rows = [
        {"sentence_id": number, "token": word, "start_indices": start, "annotation": one, "prediction": other}
        for number, (text, ones, others) in enumerate(zip(tokens, truth, found, strict=True))
        for (start, word), one, other in zip(text, ones, others, strict=True)
    ]
    peer = SpanEvaluator(iou_threshold=0.9).calculate_score_on_df(pd.DataFrame(rows))
    ours = score(tokens, truth, found)
    for name, metrics in peer.per_type.items():
        counts = ours.of(name)
        assert (counts.found, counts.predicted, counts.annotated) == (
            metrics.true_positives, metrics.num_predicted, metrics.num_annotated
        )  # fmt: skip
    assert sum(counts.annotated for counts in ours.by_type.values()) == peer.n
    blind = score(tokens, list(map(type_blind, truth)), list(map(type_blind, found))).total
    assert (blind.found, blind.predicted, blind.annotated) == (
        peer.pii_true_positives, peer.pii_predicted, peer.pii_annotated
    )  # fmt: skip
    assert math.isclose(blind.f(2), peer.pii_f)


_TEXT = "Jo Field , of the Leeds street 12 and İnkwell - Mr. St. \n ( Ltd Apt ASAP"
_WORDS = _TEXT.split(" ")
_TAGS = ("O", "O", "PERSON", "ADDRESS", "LOCATION")


@pytest.mark.slow
def test_against_presidio_evaluator_on_random_tags() -> None:
    rng = random.Random(7)
    texts = [" ".join(rng.choices(_WORDS, k=rng.randrange(1, 25))) for _ in range(400)]
    tokens = tokenize(texts)
    truth = [_runs(rng, len(text)) for text in tokens]
    found = [[rng.choice(_TAGS) if rng.random() < 0.2 else tag for tag in text_tags] for text_tags in truth]
    _peer(tokens, truth, found)


def _runs(rng: random.Random, length: int) -> list[str]:
    drawn: list[str] = []
    while len(drawn) < length:
        drawn += [rng.choice(_TAGS)] * rng.randrange(1, 6)
    return drawn[:length]


@pytest.mark.slow
@pytest.mark.public_data
def test_against_presidio_evaluator_on_real_sentences(public_data: Path) -> None:
    import spacy
    from presidio_evaluator import span_to_tag

    rng = random.Random(7)
    rows = read_annotated(public_data / "pii" / "presidio_generated_large.jsonl.gz")[::4]
    tokens = tokenize(row.text for row in rows)
    truth = [tags(text, row.spans) for text, row in zip(tokens, rows, strict=True)]
    blank = spacy.blank("en")
    for row, text_tags in zip(rows, truth, strict=True):
        ordered = sorted(row.spans, key=lambda span: span.start)
        starts, ends = [span.start for span in ordered], [span.end for span in ordered]
        names = [span.entity_type for span in ordered]
        assert text_tags == span_to_tag("IO", row.text, starts, ends, names, tokens=blank(row.text))
    moved = [[_moved(rng, span, row.text) for span in row.spans if rng.random() < 0.9] for row in rows]
    found = [tags(text, spans) for text, spans in zip(tokens, moved, strict=True)]
    _peer(tokens, truth, found)


def _moved(rng: random.Random, span: Span, text: str) -> Span:
    start = max(0, span.start + rng.choice((0, 0, 0, -4, 3)))
    end = min(len(text), max(start + 1, span.end + rng.choice((0, 0, 0, 5, -4))))
    return Span(start, end, rng.choice((span.entity_type,) * 6 + ("PERSON", "LOCATION")), 1.0)
