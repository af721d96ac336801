"""The stages of a build as lists of datatrove steps, for any of its executors.

Stages run as one task a shard; those that see all rows as a single task. Tasks hand on files in the `work`
folder:

    clean     files to scrubbed conversations, and what is known of each without its text
    level1    which of them repeat others
    score     level 2's components, tags and vectors of those that are left
    select    level 2's threshold, level 3's sample, the split: a decision on every row
    write     rows to their splits, or to the rejected ones
"""

from collections.abc import Sequence
from pathlib import Path

from datatrove.pipeline.base import PipelineStep

from data_pipeline.config import BuildConfig
from data_pipeline.diversity.config import DiversityConfig
from data_pipeline.inputs import InputFile
from data_pipeline.quality.config import QualityConfig
from data_pipeline.steps.add_system_prompt import AddSystemPrompt
from data_pipeline.steps.check_messages import CheckMessages
from data_pipeline.steps.count_tokens import CountTokens
from data_pipeline.steps.cut_unanswered import CutUnanswered
from data_pipeline.steps.decide_level1 import DecideLevel1
from data_pipeline.steps.drop_language import DropLanguage
from data_pipeline.steps.drop_planned import DropPlanned
from data_pipeline.steps.drop_short import DropShort
from data_pipeline.steps.drop_unreadable import DropUnreadable
from data_pipeline.steps.html_to_text import HtmlToText
from data_pipeline.steps.normalise_unicode import NormaliseUnicode
from data_pipeline.steps.normalise_whitespace import NormaliseWhitespace
from data_pipeline.steps.read_clean import ReadKept, ReadPlanned
from data_pipeline.steps.read_rows import ReadRows
from data_pipeline.steps.remove_notes import RemoveNotes
from data_pipeline.steps.remove_signatures import RemoveSignatures
from data_pipeline.steps.score_quality import ScoreQuality
from data_pipeline.steps.scrub_pii import ScrubPii
from data_pipeline.steps.select_rows import SelectRows
from data_pipeline.steps.standardise_mentions import StandardiseMentions
from data_pipeline.steps.tag import Tag
from data_pipeline.steps.to_conversation import ToConversation
from data_pipeline.steps.write_clean import WriteClean, WriteUnfit
from data_pipeline.steps.write_rejected import WriteDefects, WriteRejected
from data_pipeline.steps.write_scores import WriteScores
from data_pipeline.steps.write_signatures import WriteSignatures
from data_pipeline.steps.write_splits import WriteSplits


def clean(config: BuildConfig, shards: Sequence[Sequence[InputFile]], work: Path) -> list[PipelineStep]:
    """Files to clean conversations without personal data.

    Rows with a defect go to `defects/`, those that level 1 leaves out to `unfit/`.
    """
    defects = WriteDefects(work / "defects", work / "defects_raw")
    quality = _quality(config)
    unfit = WriteUnfit(work, quality)
    steps = [
        ReadRows(shards, config.max_line_bytes, work),
        DropUnreadable(defects),
        ToConversation(defects),
        RemoveNotes(),
        HtmlToText(),
        NormaliseUnicode(),
        NormaliseWhitespace(),
        RemoveSignatures(),
        StandardiseMentions(config.mentions) if config.mentions else None,
        CheckMessages(defects),
        ScrubPii(config.pii) if config.pii else None,
        CutUnanswered(),
        *(
            (DropShort(config.level1.min_characters, unfit), DropLanguage(config.level1.languages, unfit))
            if config.level1
            else ()
        ),
        AddSystemPrompt(config.system_prompt, config.replace_system_prompt),
        WriteSignatures(work),
        WriteClean(work, quality),
    ]
    return [step for step in steps if step is not None]


def level1(config: BuildConfig, shards: int, work: Path) -> list[PipelineStep]:
    """Which rows repeat others; a single task."""
    return [DecideLevel1(work, shards, config.level1, _quality(config).poisoning)]


def score(config: BuildConfig, work: Path) -> list[PipelineStep]:
    """Level 2's components, tags and vectors of the rows that level 1 kept."""
    return [ReadKept(work), *_scorers(config), WriteScores(work)]


def _quality(config: BuildConfig) -> QualityConfig:
    """The settings that other stages share with level 2, whether or not it is on."""
    return config.level2 or QualityConfig()


def _scorers(config: BuildConfig) -> list[PipelineStep]:
    """Without level 2 nothing is scored; tags are for the audit and the split, too."""
    audit = config.audit
    steps = [
        ScoreQuality(config.level2, config.knowledge_base, config.encoder, config.judge)
        if config.level2
        else None,
        Tag(config.level3 or DiversityConfig(), _quality(config).csat_best),
        CountTokens(audit.tokenizer, audit.chat_template)
        if audit.tokenizer and audit.chat_template
        else None,
    ]
    return [step for step in steps if step is not None]


def select(config: BuildConfig, shards: int, work: Path) -> list[PipelineStep]:
    """A decision on every clean row; a single task."""
    return [SelectRows(config, shards, work)]


def write(work: Path) -> list[PipelineStep]:
    """Clean rows to the splits; what the plan leaves out to `left_out/`."""
    left_out = WriteRejected(work / "left_out", "level1")
    return [ReadPlanned(work), DropPlanned(left_out), WriteSplits(work / "splits")]
