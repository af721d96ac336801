"""The stages of a build as lists of datatrove steps, for any of its executors.

Each stage runs as one task a shard, but the plan as one task. Tasks hand on files in the `work` folder.
"""

from collections.abc import Sequence
from pathlib import Path

from datatrove.pipeline.base import PipelineStep

from data_pipeline.config import BuildConfig
from data_pipeline.inputs import InputFile
from data_pipeline.steps.add_system_prompt import AddSystemPrompt
from data_pipeline.steps.check_messages import CheckMessages
from data_pipeline.steps.cut_unanswered import CutUnanswered
from data_pipeline.steps.drop_repeated import DropRepeated
from data_pipeline.steps.drop_unreadable import DropUnreadable
from data_pipeline.steps.html_to_text import HtmlToText
from data_pipeline.steps.normalise_unicode import NormaliseUnicode
from data_pipeline.steps.normalise_whitespace import NormaliseWhitespace
from data_pipeline.steps.plan_splits import PlanSplits
from data_pipeline.steps.read_clean import ReadClean
from data_pipeline.steps.read_rows import ReadRows
from data_pipeline.steps.remove_notes import RemoveNotes
from data_pipeline.steps.to_conversation import ToConversation
from data_pipeline.steps.write_clean import WriteClean
from data_pipeline.steps.write_rejected import WriteRejected
from data_pipeline.steps.write_splits import WriteSplits


def clean(config: BuildConfig, shards: Sequence[Sequence[InputFile]], work: Path) -> list[PipelineStep]:
    """Files to clean conversations; rows with a defect go to `defects/`."""
    rejected = WriteRejected(work / "defects")
    return [
        ReadRows(shards, config.max_line_bytes, work),
        DropUnreadable(rejected),
        ToConversation(rejected),
        RemoveNotes(),
        HtmlToText(),
        NormaliseUnicode(),
        NormaliseWhitespace(),
        CheckMessages(rejected),
        CutUnanswered(),
        AddSystemPrompt(config.system_prompt, config.replace_system_prompt),
        WriteClean(work),
    ]


def plan(config: BuildConfig, shards: int, work: Path) -> list[PipelineStep]:
    """A decision on every clean row; a single task."""
    return [PlanSplits(work, shards, config.split, config.split_seed)]


def split(work: Path) -> list[PipelineStep]:
    """Clean rows to the splits; repeated rows go to `repeated/`."""
    return [ReadClean(work), DropRepeated(WriteRejected(work / "repeated")), WriteSplits(work / "splits")]
