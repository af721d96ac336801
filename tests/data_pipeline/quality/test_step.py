import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datatrove.data import Document

from common.errors import UserError
from common.judge.config import JudgeConfig
from data_pipeline.quality.config import QualityConfig
from data_pipeline.quality.dialogue import dialogue_of
from data_pipeline.steps.score_quality import ScoreQuality
from tests.common.encoder.small_encoder import write_exported
from tests.data_pipeline.quality.company import PASSAGES, dialogue


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    for passage in PASSAGES:
        title, _, body = passage.text.partition("\n")
        head = f"---\nid: {passage.article}\ntitle: {title}\n---\n"
        (folder / f"{passage.article}.md").write_text(f"{head}\n{body}\n")
    return folder


def document(*contents: str, **metadata: Any) -> Document:
    messages = [dict(message) for message in dialogue(*contents).messages]
    given = {"source": "desk", "messages": messages, "fields": {}, "cut": [], "language": "en", **metadata}
    return Document(text="", id="x", metadata=given)


def scored(step: ScoreQuality, *documents: Document) -> list[dict[str, Any]]:
    return [done.metadata for done in step.run(iter(documents))]


def test_quality_is_added(kb: Path) -> None:
    [right, wrong] = scored(
        ScoreQuality(QualityConfig(), kb),
        document("Can I return it?", "Tents can be returned within 30 days.", fields={"csat": "good"}),
        document("Can I return it?", "Tents can be returned within 3 days.", repeated_answer=True),
    )
    assert (right["quality"]["csat"], right["quality"]["factuality_by"]) == (1.0, "rules")
    assert right["quality"]["flags"] == []
    assert wrong["quality"]["flags"] == ["contradiction", "repeated_answer"]
    assert "embedding" not in right
    assert json.loads(json.dumps(wrong["quality"])) == wrong["quality"]


def test_embeddings_come_with_an_encoder(tmp_path: Path, kb: Path) -> None:
    write_exported(tmp_path / "encoder")
    for precision in ("model.onnx", "model.int8.onnx"):
        found = tmp_path / "encoder" / precision
        if not found.is_file():
            found.write_bytes((tmp_path / "encoder" / "model.onnx").read_bytes())
    step = ScoreQuality(QualityConfig(), kb, tmp_path / "encoder")
    documents = [document("Where is it?", f"It is at Mill Lane number {n}.") for n in range(70)]
    found = scored(step, *documents)
    assert len(found) == 70  # more than a batch
    assert found[0]["quality"]["coherence_by"] == "embedding"
    for metadata in found:
        vector = metadata["embedding"]
        assert vector.dtype == np.float16
        assert np.linalg.norm(vector.astype(np.float32)) == pytest.approx(1.0, abs=1e-2)


def test_the_step_can_be_sent_to_another_process(kb: Path) -> None:
    step = pickle.loads(pickle.dumps(ScoreQuality(QualityConfig(), kb)))
    assert scored(step, document("Where?", "In the hall."))[0]["quality"]["score"] is not None


def test_a_share_of_the_budget_that_is_too_little_is_an_error(kb: Path) -> None:
    budget = {"max_tokens": 100_000}
    judge = JudgeConfig.model_validate(
        {"url": "http://127.0.0.1:9/v1", "model": "judge", "cache": None, "budget": budget}
    )
    step = ScoreQuality(QualityConfig(), kb, judge=judge)
    with pytest.raises(UserError, match="for 1,000 tasks, and a share is too little for a request"):
        list(step.run(iter([document("Where?", "In the hall.")]), world_size=1000))


def test_no_documents(kb: Path) -> None:
    assert scored(ScoreQuality(QualityConfig(), kb)) == []


def test_a_folder_without_articles_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no articles"):
        scored(ScoreQuality(QualityConfig(), tmp_path), document("a", "b"))


def test_a_document_as_the_score_sees_it() -> None:
    made = dialogue_of(document("a", "b", cut=[{"role": "user", "content": "ty"}], fields={"status": "open"}))
    assert (made.source, made.language, made.last_words, made.fields["status"]) == (
        "desk",
        "en",
        "ty",
        "open",
    )
