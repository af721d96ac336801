"""The judge: one call for scores, one for pairs."""

from collections.abc import Mapping, Sequence

from common.console import choice
from common.generation.budget import Budget
from common.judge.asking import Asker
from common.judge.config import JudgeConfig
from common.judge.parsing import read_scores, read_winner
from common.judge.prompts import (
    RUBRIC,
    Case,
    Pair,
    pair_question,
    pair_schema,
    rubric_question,
    rubric_schema,
)
from common.judge.verdicts import PairVerdict, Verdict

NOT_JUDGED = "not judged"
"""What reports say in the place of a score where no judge is configured."""


def open_judge(config: JudgeConfig | None) -> "Judge | None":
    """The judge of a stage's config, and a line that names it; None where the config has none.

    A caller that gets None says `NOT_JUDGED`, and never makes up a score.

    Raises:
        UserError: the environment variable with the API key is not set.
    """
    if config is None:
        choice("judge", NOT_JUDGED, "no endpoint is configured")
        return None
    choice("judge", config.model, config.url)
    return Judge(config)


class Judge:
    """Asks one model at one endpoint. `budget` tells what that has cost.

    Raises:
        UserError: the environment variable with the API key is not set.
    """

    def __init__(self, config: JudgeConfig) -> None:
        self.config = config
        self._asker = Asker(config)

    @property
    def budget(self) -> Budget:
        return self._asker.budget

    def score(self, cases: Sequence[Case], criteria: Mapping[str, str] = RUBRIC) -> list[Verdict]:
        """Scores from 1 to 5 on each of `criteria` (names, with what they ask), in the order of `cases`."""
        answers = self._asker.ask(
            [rubric_question(case, criteria) for case in cases],
            rubric_schema(criteria),
            lambda verdict: read_scores(verdict, criteria),
        )
        verdicts = []
        for answer in answers:
            scores, reason = answer.value or (None, "")
            tokens = answer.prompt_tokens, answer.completion_tokens
            verdicts.append(Verdict(scores, reason, answer.unscored, *tokens, answer.cached))
        return verdicts

    def compare(self, pairs: Sequence[Pair]) -> list[PairVerdict]:
        """Which of two replies is better, each pair asked in both orders, in the order of `pairs`.

        Replies that are equal but for white space around them are not asked about: a judge can only guess.
        """
        asked = [pair for pair in pairs if not _identical(pair)]
        # Both orders side by side, so that a budget that ends leaves no more than one pair half done.
        questions = [pair_question(each) for pair in asked for each in (pair, pair.swapped())]
        answers = iter(self._asker.ask(questions, pair_schema(), read_winner))
        verdicts = []
        for pair in pairs:
            if _identical(pair):
                verdicts.append(PairVerdict((None, None), ("", ""), "identical: the replies are the same"))
                continue
            one, other = next(answers), next(answers)
            (said_one, reason_one), (said_other, reason_other) = (
                answer.value or (None, "") for answer in (one, other)
            )
            verdict = PairVerdict(
                said=(said_one, said_other),
                reasons=(reason_one, reason_other),
                unscored=one.unscored or other.unscored,
                prompt_tokens=one.prompt_tokens + other.prompt_tokens,
                completion_tokens=one.completion_tokens + other.completion_tokens,
                cached=one.cached and other.cached,
            )
            verdicts.append(verdict)
        return verdicts


def _identical(pair: Pair) -> bool:
    return pair.a.strip() == pair.b.strip()
