"""Scores the quality of conversations (Level 2)."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from common.errors import UserError
from common.judge.config import JudgeConfig
from data_pipeline.batches import batches
from data_pipeline.models import shared
from data_pipeline.quality.config import QualityConfig
from data_pipeline.quality.dialogue import dialogue_of
from data_pipeline.quality.scores import reasons

if TYPE_CHECKING:
    from common.judge import Judge
    from data_pipeline.quality.scorer import Scorer

_BATCH = 64  # a judge answers so many at a time; what is computed here gains nothing by more


class ScoreQuality(PipelineStep):
    """Adds `quality` (components, score, faults, flags: see `QualityScores.as_metadata`) to the metadata.

    With an encoder also `embedding`, float16 of shape (dim,) and length 1. A row whose metadata has a true
    `repeated_answer` (see `poisoning.repeated_answers`) gets that flag.

    Args:
        kb: folder of Markdown articles.
        encoder: folder of an exported encoder. It takes one text at a time, in int8: as fast on one core as
            batches, and a vector depends on nothing but its text.
        judge: whose cache makes a repeated run pay for nothing twice. Tasks have equal shares of its budget.
    """

    name = "Quality"
    type = "SCORER"

    def __init__(
        self,
        config: QualityConfig,
        kb: Path | None = None,
        encoder: Path | None = None,
        judge: JudgeConfig | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.kb = kb
        self.encoder = encoder
        self.judge = judge

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        judge = self._judge(world_size)
        scorer = shared(ScoreQuality, self._scorer).judged_by(judge)
        for batch in batches(data, _BATCH):
            with self.track_time():
                scores, vectors = scorer.score_and_embed([dialogue_of(document) for document in batch])
            if judge is not None and judge.budget.stopped and not judge.budget.spent.total:
                what = (
                    f"the judge's budget is for {world_size:,} tasks, and a share is too little for a request"
                )
                raise UserError(what, "raise judge.budget: max_tokens or max_cost")
            for place, document in enumerate(batch):
                score = scores[place]
                if document.metadata.get("repeated_answer"):
                    score = replace(score, flags=tuple(sorted({*score.flags, "repeated_answer"})))
                values: dict[str, Any] = score.as_metadata()
                document.metadata["quality"] = values
                document.metadata["quality_reason"] = reasons(score, self.config)
                if vectors is not None:
                    document.metadata["embedding"] = vectors[place]
                self._count(values)
                yield document

    def _count(self, values: dict[str, Any]) -> None:
        for flag in values["flags"]:
            self.stat_update(f"flag/{flag}")
        if values["unjudged"]:
            self.stat_update(f"unjudged/{values['unjudged'].split(':')[0]}")

    def _scorer(self) -> "Scorer":
        from common.encoder.runtime import OnnxEncoder
        from common.retrieval import read_passages
        from data_pipeline.quality.scorer import Scorer

        return Scorer(
            self.config,
            read_passages(self.kb) if self.kb else (),
            OnnxEncoder(self.encoder, precision="int8", threads=1, batch_tokens=1) if self.encoder else None,
        )

    def _judge(self, tasks: int) -> "Judge | None":
        if self.judge is None:
            return None
        from common.judge import Judge

        return Judge(self.judge.model_copy(update={"budget": self.judge.budget.divided(tasks)}))
