"""Tags conversations: topic, difficulty, sentiment, and whether they are critical."""

from dataclasses import asdict

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.diversity.config import DiversityConfig
from data_pipeline.quality.outcome import CSAT_BEST


class Tag(PipelineStep):
    """The metadata get `tags`, see `data_pipeline.diversity.tags.Tags`."""

    name = "Tags"
    type = "FORMAT"

    def __init__(self, config: DiversityConfig, csat_best: int = CSAT_BEST) -> None:
        super().__init__()
        self.config = config
        self.csat_best = csat_best

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        from data_pipeline.diversity.tags import Tagger

        tagger = Tagger(self.config, self.csat_best)
        for document in data or ():
            with self.track_time():
                metadata = document.metadata
                tags = tagger.tag(metadata["messages"], metadata["fields"], metadata["labels"])
                metadata["tags"] = asdict(tags)
            yield document
