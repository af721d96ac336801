"""Replies judged by a language model: a rubric from 1 to 5, or which of two is better.

    judge = open_judge(config.judge)              # None where no endpoint is configured: NOT_JUDGED
    verdicts = judge.score([Case(conversation, reply, passages)])
    pairs = judge.compare([Pair(conversation, a, b)])
    pair_report(pairs).flip_rate

What could not be judged is *unscored*, with the reason, and never has a score. Loads no openai.
"""

from common.judge.config import JudgeConfig
from common.judge.judge import NOT_JUDGED, Judge, open_judge
from common.judge.prompts import RUBRIC, Case, Pair
from common.judge.report import PairReport, pair_report, unscored_reasons
from common.judge.verdicts import PairVerdict, Verdict

__all__ = [
    "NOT_JUDGED",
    "RUBRIC",
    "Case",
    "Judge",
    "JudgeConfig",
    "Pair",
    "PairReport",
    "PairVerdict",
    "Verdict",
    "open_judge",
    "pair_report",
    "unscored_reasons",
]
