"""Five checks of a conversation, and the consensus that keeps it.

1. form: it is what was asked for: roles, lengths, whole sentences, the language (`form`)
2. grounded: numbers, names and conditions of the answers stand in the passages (`grounding`)
3. answers: the answers answer the question (`answers`)
4. personal_data: there is none, and no blanks to fill in (`personal`)
5. original: it is no near-copy of the passages, of existing data or of another one that is kept (`copies`)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from common.chat import Message
from common.retrieval import Passage
from data_pipeline.level1.config import Languages
from data_pipeline.level1.language import detector
from data_pipeline.quality.dialogue import Dialogue
from data_pipeline.synthetic.answers import Answering, By
from data_pipeline.synthetic.config import Checks
from data_pipeline.synthetic.copies import copies_passages, near_copies
from data_pipeline.synthetic.form import form_fault
from data_pipeline.synthetic.grounding import Grounding
from data_pipeline.synthetic.personal import Personal
from data_pipeline.synthetic.plan import Request

Check = Literal["form", "grounded", "answers", "personal_data", "original"]
CHECKS: tuple[Check, ...] = get_args(Check)
MUST_PASS: tuple[Check, ...] = ("form", "personal_data")


@dataclass
class Candidate:
    """A conversation that was written, and what the checks say of it.

    Attributes:
        passed: the checks passed, in the order of `CHECKS` once all are done.
        failed: reasons by check.
        not_measured: reasons by check; a check that was skipped, because the conversation can't be kept any
            more, is in none of the three.
        answers_by: who has said whether it answers.
    """

    request: Request
    messages: list[Message]
    passed: list[Check] = field(default_factory=list)
    failed: dict[Check, str] = field(default_factory=dict)
    not_measured: dict[Check, str] = field(default_factory=dict)
    answers_by: By | None = None

    def note(self, check: Check, fault: str | None) -> None:
        """Take down the result of a check: a reason, or None for passed."""
        if fault is None:
            self.passed = sorted([*self.passed, check], key=CHECKS.index)
        else:
            self.failed[check] = fault

    def can_be_kept(self, min_checks: int) -> bool:
        """Whether the checks that are not done yet can still make `min_checks`."""
        lost = len(self.failed) + len(self.not_measured)
        return not any(check in self.failed for check in MUST_PASS) and len(CHECKS) - lost >= min_checks

    @property
    def reason(self) -> str:
        """Why it is rejected: the first check that failed or, where none did, that was not measured."""
        faults = self.failed or self.not_measured
        check = min(faults, key=CHECKS.index)
        return f"{check}: {faults[check]}"


class Examination:
    """All five checks, the cheap ones first: a judge is asked only about what can still be kept."""

    def __init__(
        self,
        checks: Checks,
        languages: Sequence[str],
        passages: Sequence[Passage],
        answering: Answering,
        personal: Personal,
    ) -> None:
        self.checks = checks
        self._spoken = detector(Languages(allowed=tuple(sorted(languages))))
        self._of_passages = self._spoken.detect("\n".join(passage.text for passage in passages)).language
        self._grounding = Grounding(passages)
        self._answering = answering
        self._personal = personal

    def examine(self, candidates: Sequence[Candidate], existing: Sequence[Sequence[Message]]) -> None:
        """Take down the results of all checks; the earlier one of two near-copies is kept."""
        for candidate in candidates:
            language = candidate.request.language
            candidate.note("form", form_fault(candidate.messages, language, self._spoken, self.checks))
        for candidate in self._open(candidates):
            candidate.note("grounded", self._ungrounded(candidate))
        self._look_for_personal_data(self._open(candidates))
        self._ask(self._open(candidates))
        self._compare(self._open(candidates), existing)

    def is_kept(self, candidate: Candidate) -> bool:
        """After `examine`: whether enough checks are passed."""
        return candidate.can_be_kept(self.checks.min_checks)

    def _open(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if self.is_kept(candidate)]

    def _ungrounded(self, candidate: Candidate) -> str | None:
        request = candidate.request
        same_language = request.language == self._of_passages
        return self._grounding.fault(candidate.messages, request.passages, same_language=same_language)

    def _look_for_personal_data(self, candidates: Sequence[Candidate]) -> None:
        faults = self._personal.faults([candidate.messages for candidate in candidates])
        for candidate, fault in zip(candidates, faults, strict=True):
            candidate.note("personal_data", fault)

    def _ask(self, candidates: Sequence[Candidate]) -> None:
        dialogues = [Dialogue(each.messages, language=each.request.language) for each in candidates]
        answered = self._answering.check(dialogues, [each.request.passages for each in candidates])
        for candidate, result in zip(candidates, answered, strict=True):
            candidate.answers_by = result.by
            if result.passed is None:
                candidate.not_measured["answers"] = result.reason or ""
            else:
                candidate.note("answers", result.reason)

    def _compare(self, candidates: Sequence[Candidate], existing: Sequence[Sequence[Message]]) -> None:
        like = near_copies(existing, [each.messages for each in candidates], self.checks.max_similarity)
        for candidate, places in zip(candidates, like, strict=True):
            fault = None
            if copies_passages(candidate.messages, candidate.request.passages, self.checks.max_copied):
                fault = "copies_passage"
            for place in places:
                if place < len(existing):
                    fault = "like_existing_data"
                elif self.is_kept(other := candidates[place - len(existing)]):
                    fault = f"like_another: {other.request.id}"
            candidate.note("original", fault)
