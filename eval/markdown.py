"""The report as Markdown: verdict and figures first, then what was measured, then replies as they are."""

import re
from collections.abc import Iterable, Sequence

from common.generation import Reply
from eval.config import CONSTANT_REPLY, ReportConfig
from eval.figures import Figure, Metric, better, metric_name, verdict
from eval.outcomes import EvalSet, Outcome
from eval.stats import Interval

_HEADINGS: dict[Metric, str] = {
    "perplexity": "Perplexity of the true replies (lower is better)",
    "rouge_l": "ROUGE-L of new replies against the true ones (higher is better)",
}


def render(
    config: ReportConfig,
    eval_sets: Sequence[EvalSet],
    outcomes: dict[str, dict[str, Outcome]],
    found: Sequence[Figure],
    constant_reply: str | None,
) -> str:
    """The text of report.md; `outcomes` go by test set, then by system."""
    lines = ["# Evaluation"]
    for line in verdict(found, config.baseline):
        lines += ["", f"**{escape(line)}**"]
    metrics = dict.fromkeys(figure.metric for figure in found)
    for metric in metrics:
        lines += _figures([figure for figure in found if figure.metric == metric], config.baseline)
    lines += _measured(config, eval_sets, constant_reply)
    lines += _samples(config, eval_sets, outcomes)
    return "\n".join(lines) + "\n"


def interval(value: Interval | None) -> str:
    """`0.412 [0.390, 0.440]`, or a dash."""
    if value is None:
        return "–"
    return f"{number(value.value)} [{number(value.low)}, {number(value.high)}]"


def comparison(metric: Metric, value: Interval | None) -> str:
    """`×0.412 [0.390, 0.440]` for a ratio, `+0.120 [+0.090, +0.150]` for a difference, or a dash."""
    if value is None:
        return "–"
    if metric == "perplexity":
        return f"×{interval(value)}"
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def number(value: float) -> str:
    """About three digits: `1,234`, `12.3`, `0.412`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def escape(text: str) -> str:
    """Text as a table cell shows it, letter by letter: no markup, no links, line breaks kept."""
    text = re.sub(r"[^\S\n]", " ", text.strip().replace("\r\n", "\n"))
    text = re.sub(r"([\\`*_\[\]<>|~&$#])", r"\\\1", text)
    text = re.sub(r"(?<=[A-Za-z]):(?=//)|(?<=www)\.(?=\S)|@", r"\\\g<0>", text)
    return text.replace("\n", "<br>")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int) -> list[str]:
    rule = [":--" if column < numbers_from else "--:" for column in range(len(head))]
    return ["", *(f"| {' | '.join(row)} |" for row in (head, rule, *rows))]


def _figures(found: list[Figure], baseline: str) -> list[str]:
    metric = found[0].metric
    others = [name for name in (baseline, CONSTANT_REPLY) if any(name in figure.against for figure in found)]
    head = ["test set", "system", metric_name(metric), *(f"against {name}" for name in others)]
    rows = [
        [
            escape(figure.test_set),
            escape(figure.system),
            interval(figure.value),
            *(_against(figure, name) for name in others),
            f"{figure.scored:,}",
            _unscored(figure.unscored),
        ]
        for figure in found
    ]
    return ["", f"## {_HEADINGS[metric]}", *_table([*head, "scored", "unscored"], rows, numbers_from=2)]


def _against(figure: Figure, other: str) -> str:
    if other not in figure.against:
        return "–"
    word = {True: "better", False: "worse", None: "no difference shown"}[better(figure, other)]
    return f"{comparison(figure.metric, figure.against[other])} {word}"


def _unscored(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {escape(reason)}" for reason, count in reasons.items()) or "0"


def _measured(config: ReportConfig, eval_sets: Sequence[EvalSet], constant_reply: str | None) -> list[str]:
    rows = [[escape(s.name), *(f"{count:,}" for count in s.size.values())] for s in eval_sets]
    sampling = config.sampling
    how = "greedy"
    if sampling.temperature > 0:
        how = f"temperature {sampling.temperature:g}, top_p {sampling.top_p:g}"
    lines = [
        "",
        "## What was measured",
        *_table(["test set", *eval_sets[0].size], rows, numbers_from=1),
        "",
        f"- Brackets: 95 % intervals from {config.bootstrap_samples:,} bootstrap samples of customers, the",
        f"  same for all systems (seed {config.bootstrap_seed}).",
        "- Perplexity: over the tokens of all assistant turns, each with its end-of-turn token, in the",
        f"  {config.chat_template} chat template.",
        f"- New replies: for turns drawn from all assistant turns (seed {config.reply_seed}), after the true",
        f"  conversation up to there; {how}, at most {sampling.max_new_tokens} tokens.",
        "- ROUGE-L: F1, stemmed, each Chinese or Japanese character a token.",
        "- Rows that some system has no score for are left out for all systems.",
    ]
    if constant_reply is not None:
        lines += [f"- The {CONSTANT_REPLY}, given to everything: {escape(constant_reply)}"]
    return lines


def _samples(
    config: ReportConfig, eval_sets: Sequence[EvalSet], outcomes: dict[str, dict[str, Outcome]]
) -> list[str]:
    """The first turns of each test set's draw, so a random sample; the test sets take turns."""
    longest = max((len(eval_set.turns) for eval_set in eval_sets), default=0)
    picked = [(s, number) for number in range(longest) for s in eval_sets if number < len(s.turns)]
    picked = picked[: config.sample_replies]
    if not picked:
        return []
    lines = ["", "## Sample replies", "", f"{len(picked)} of the drawn turns, not chosen by anybody."]
    for place, (eval_set, number) in enumerate(picked, start=1):
        turn = eval_set.turns[number]
        where = f"{escape(eval_set.name)}, {escape(turn.conversation.id)}, message {turn.index + 1}"
        cells = [["customer", escape(turn.prompt[-1]["content"])], ["reference", escape(turn.reference)]]
        for system in config.systems:
            outcome = outcomes[eval_set.name][system.name]
            cells.append(
                [f"**{escape(system.name)}**", _reply(outcome.replies[number], outcome.rouge_l[number])]
            )
        lines += ["", f"### {place}. {where}", *_table(["", ""], cells, numbers_from=2)]
    return lines


def _reply(reply: Reply, rouge_l: float | None) -> str:
    if reply.text is None:
        return f"*unscored: {escape(reply.error or '')}*"
    cut = " *(cut at max_new_tokens)*" if reply.finish_reason == "length" else ""
    return f"{escape(reply.text) or '*(empty)*'}{cut} *(ROUGE-L {rouge_l:.2f})*"
