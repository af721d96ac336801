import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from data_pipeline.pii.ner import load_detector
from data_pipeline.pii.ner.label_map import entity_type
from data_pipeline.pii.spans import Span

TEXT = "Ask Jane Field in Leeds about Acme Ltd."


def values(text: str, spans: list[Span]) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.entity_type) for s in spans]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("B-PER", "PERSON"),
        ("person", "PERSON"),
        ("GPE", "LOCATION"),
        ("FAC", "LOCATION"),
        ("I-ORG", "ORGANIZATION"),
        ("street address", "ADDRESS"),
        ("MISC", None),
        ("O", None),
    ],
)
def test_labels_of_other_models(label: str, expected: str | None) -> None:
    assert entity_type(label) == expected


def test_a_spacy_pipeline_by_its_folder(tmp_path: Path) -> None:
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [
            {"label": "PERSON", "pattern": "Jane Field"},
            {"label": "GPE", "pattern": "Leeds"},
            {"label": "DATE", "pattern": "Ask"},
        ]
    )
    nlp.to_disk(tmp_path / "pipeline")

    detector = load_detector(tmp_path / "pipeline")
    long_text = "word " * 6_000 + TEXT

    assert detector.entity_types == {"PERSON", "LOCATION"}
    assert values(TEXT, detector.find([TEXT])[0]) == [("Jane Field", "PERSON"), ("Leeds", "LOCATION")]
    assert values(long_text, detector.find(["", long_text])[1]) == [
        ("Jane Field", "PERSON"),
        ("Leeds", "LOCATION"),
    ]


def tiny_classifier(folder: Path) -> Path:
    """A token classifier of a few kilobytes: the word's row in the table is its label."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "Jane", "Field", "Leeds", "Acme"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", model_max_length=64
    )
    fast.save_pretrained(folder)
    labels = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "B-MISC"}
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=0,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=64,
        id2label=labels,
        label2id={label: i for i, label in labels.items()},
    )
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        for word, label in [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]:
            model.bert.embeddings.word_embeddings.weight[word, label] = 5
            model.classifier.weight[label, label] = 5
    model.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_transformers_token_classifier_by_its_folder(tmp_path: Path) -> None:
    detector = load_detector(tiny_classifier(tmp_path))
    long_text = "word " * 700 + TEXT

    assert detector.entity_types == {"PERSON", "LOCATION"}
    found = detector.find([TEXT, "", long_text])
    assert values(TEXT, found[0]) == [("Jane Field", "PERSON"), ("Leeds", "LOCATION")]
    assert found[1] == []
    assert values(long_text, found[2]) == values(TEXT, found[0])


class FakeGliner:
    """Finds "Jane Field", as `gliner.GLiNER` would."""

    asked: list[tuple[str, list[str]]]

    @classmethod
    def from_pretrained(cls, name: str) -> "FakeGliner":
        if "missing" in name:
            raise OSError("no such model")
        model = cls()
        model.asked = []
        return model

    def predict_entities(self, text: str, labels: list[str], threshold: float) -> list[dict[str, Any]]:
        self.asked.append((text, labels))
        at = text.find("Jane Field")
        rows = [{"start": at, "end": at + 10, "label": "person", "score": 0.9}] if at >= 0 else []
        return [*rows, {"start": 0, "end": 3, "label": "animal", "score": 0.9}]


def test_a_gliner_model_by_name_and_by_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = types.ModuleType("gliner")
    module.GLiNER = FakeGliner  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gliner", module)
    (tmp_path / "gliner_config.json").write_text("{}")
    long_text = "word " * 500 + TEXT

    for path in (tmp_path, Path("urchade/gliner_small-v2.1")):
        detector = load_detector(path)
        found = detector.find([TEXT, " ", long_text])
        assert found[0] == [Span(4, 14, "PERSON", 0.9)]
        assert found[1] == []
        assert values(long_text, found[2]) == [("Jane Field", "PERSON")]
    with pytest.raises(UserError, match="missing"):
        load_detector(Path("missing/gliner"))


def test_without_gliner_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "gliner", None)
    (tmp_path / "gliner_config.json").write_text("{}")

    with pytest.raises(UserError, match=r"supportlm\[gliner\]"):
        load_detector(tmp_path)


def test_folders_that_hold_no_such_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model that finds names"):
        load_detector(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    with pytest.raises(UserError, match="no model that finds names"):
        load_detector(tmp_path)
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(UserError, match=r"has no model\.onnx"):
        load_detector(tmp_path)
    for name in ("model.onnx", "vocabulary.txt"):
        (tmp_path / name).write_text("")
    with pytest.raises(UserError, match="another version"):
        load_detector(tmp_path)


@pytest.mark.slow
def test_a_name_that_is_on_no_hub_is_told() -> None:
    with pytest.raises(UserError, match="can't load the name detector 'nobody/no-such-model'"):
        load_detector(Path("nobody/no-such-model"))
