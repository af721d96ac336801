"""What the steps can be told; importing it loads no step."""

from pydantic import Field, model_validator

from common.config import Config, InputPath
from data_pipeline.sources.columns import Text


class MentionsConfig(Config):
    """Names that have one spelling in the dataset: canonical form to the variants that are replaced by it.

    `table` is a YAML file of the same form as `names`; with both, all count.
    """

    table: InputPath | None = None
    names: dict[Text, list[Text]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_names(self) -> "MentionsConfig":
        if self.table is None and not self.names:
            raise ValueError("give a table, or names")
        return self
