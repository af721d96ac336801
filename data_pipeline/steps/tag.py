"""Tags conversations: topic, difficulty, sentiment, and whether they are critical."""

from dataclasses import asdict

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from data_pipeline.diversity.config import DiversityConfig


class Tag(PipelineStep):
    """The metadata get `tags`, see `data_pipeline.diversity.tags.Tags`."""

    name = "Tags"
    type = "FORMAT"

    def __init__(self, config: DiversityConfig) -> None:
        super().__init__()
        self.config = config

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        from data_pipeline.diversity.tags import Tagger

        tagger = Tagger(self.config)
        for document in data or ():
            with self.track_time():
                metadata = document.metadata
                metadata["tags"] = asdict(tagger.tag(metadata["messages"], metadata["fields"]))
            yield document
