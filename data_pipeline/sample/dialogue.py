"""One conversation between a customer and an agent, written from a situation.

    opening → (agent asks → reply) → answer → follow-ups → (second question → answer) → thanks or anger

Which parts there are, their words and the mood are drawn by chance; internal notes are put in at the end.
A `Plan` says what else happens: a second request in the opening, or an answer that is wrong.
"""

import random

from data_pipeline.sample.company import Content
from data_pipeline.sample.contradictions import contradict
from data_pipeline.sample.conversation import Dialogue, Message, Plan, draw_channel, draw_mood
from data_pipeline.sample.grammar import Piece, join, plain
from data_pipeline.sample.models import Exchange, FollowUp, Mood, Need, Situation, Variants
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.splits import bad_answer_lines
from data_pipeline.sample.turns import Turns
from data_pipeline.sample.voice import ensure_japanese

_MAX_MESSAGES = 8
_OBJECTION_CHANCE = {"annoyed": 0.75, "furious": 0.75, "cheerful": 0.0}


def write_dialogue(
    content: Content, situation: Situation, customer: Customer, plan: Plan, rng: random.Random
) -> Dialogue:
    """Write one conversation of 2 to 8 public messages."""
    return _Writer(content, situation, customer, plan, rng).write()


class _Writer:
    def __init__(
        self, content: Content, situation: Situation, customer: Customer, plan: Plan, rng: random.Random
    ) -> None:
        self.content, self.situation, self.customer, self.rng = content, situation, customer, rng
        self.second, self.elsewhere = plan.second, plan.elsewhere
        self.scope = Scope(content, situation, customer, rng)
        self._others: dict[str, Scope] = {}
        self.denied = self.scope.text("outcome", situation.outcome) == "denied"
        mood, channel = draw_mood(content, situation.tone, rng), draw_channel(rng)
        subject = plain(self.scope.say(situation.subjects, by_customer=True))
        self.dialogue = Dialogue(
            situation.article,
            situation.intent,
            customer,
            self.scope,
            mood,
            channel,
            subject,
            situation,
            plan,
        )
        self.turns = Turns(content, self.dialogue, self.scope, rng)

    @property
    def mood(self) -> Mood:
        return self.content.moods[self.dialogue.mood]

    def write(self) -> Dialogue:
        plan = self.dialogue.plan
        open_need = self._open()
        exchange: Exchange | Need | None = None
        if open_need:
            exchange = self.content.needs[open_need]
        elif self.situation.clarify and self._chance(0.6):
            exchange = self.rng.choice(self.situation.clarify)
        if exchange:
            self.turns.agent(self.turns.say(exchange.ask), empathy=self.mood.empathy.ask)
            self.turns.customer(self.turns.said(exchange.reply))
        self._answer()
        if plan.fault in (None, "contradiction"):
            for follow in self._follow_ups():
                self.turns.customer(self.turns.said(follow.user))
                self.turns.agent(self.turns.say(follow.agent))
            if not plan.second and self._has_room(2) and self._chance(0.12):
                self._second_question()
        self._close()
        if self._chance(plan.note_rate):
            self._add_notes()
        return self.dialogue

    def _open(self) -> str | None:
        """Write the customer's first message. Returns the need that is left open, or None."""
        situation, mood, phrases = self.situation, self.mood, self.content.phrases
        japanese = self.customer.mixes_japanese
        said: list[list[Piece]] = []
        if self._chance(0.6):
            use_japanese = japanese and self._chance(0.5)
            said.append(self.turns.said(phrases.japanese_greeting if use_japanese else mood.greeting))
        talks_business = situation.intent != "chitchat"
        if talks_business and self._chance(0.45):
            said.append(self.turns.said(getattr(mood.lead, situation.tone)))
        in_japanese = japanese and situation.japanese and self._chance(0.5)
        said.append(self.turns.said(situation.japanese if in_japanese else situation.openers))
        open_need = self.rng.choice(situation.needs) if situation.needs and self._chance(0.4) else None
        said += [
            self.turns.said(self.content.needs[need].inline) for need in situation.needs if need != open_need
        ]
        one_need = len(situation.needs) == 1 and not open_need
        late = said.pop() if one_need and self._chance(0.1) else None
        if self.second:
            said += [
                self.turns.said(phrases.second_lead),
                self._beside(self.second).say(self.second.openers, by_customer=True),
            ]
        if talks_business and self._chance(0.5):
            use_japanese = japanese and self._chance(0.6)
            said.append(
                self.turns.said(phrases.japanese_tail if use_japanese else getattr(mood.tail, situation.tone))
            )
        self.turns.customer(*ensure_japanese(said, self.content, self.scope, self.customer), opening=True)
        if late:
            self.turns.customer(late)
        elif not open_need and self._chance(0.05):
            self.turns.customer(self.turns.said(phrases.customer_more))
        return open_need

    def _answer(self) -> None:
        phrases = self.content.phrases
        found = self.turns.agent_has_spoken and self._chance(0.6)
        talks_business = self.situation.intent != "chitchat"
        if talks_business and self.dialogue.channel == "chat" and self._chance(0.25):
            self.turns.agent(self.turns.say(phrases.agent_wait), empathy=self.mood.empathy.ask)
            found = False
        said = [self.turns.say(phrases.agent_found)] if found else []
        fault = self.dialogue.plan.fault
        if fault is None:
            said.append(self.turns.say(self.situation.answers))
        elif fault == "contradiction":
            said.append(self._contradiction())
        elif fault == "off_topic":
            assert self.elsewhere is not None
            said.append(self._beside(self.elsewhere).say(self.elsewhere.answers))
        else:
            lines = bad_answer_lines(self.content.bad_answers[fault], self.situation.held_out)
            said.append(self.turns.say(tuple(lines)))
        if self.second and fault in (None, "contradiction"):
            answer = self._beside(self.second).say(self.second.answers)
            said += [self.turns.say(phrases.second_answer_lead), answer]
        self.dialogue.answer_index = len(self.dialogue.messages)
        self.turns.agent(*said, empathy=() if fault == "rude" else self._empathy())

    def _follow_ups(self) -> list[FollowUp]:
        """None, one or two of the situation's follow-ups: a reply or an objection first, then questions."""
        was_asked = "?" in plain(self.dialogue.messages[-1].text)
        wanted = self.rng.choices((0, 1, 2), (0.3, 0.52, 0.18))[0]
        questions = self._shuffled("question")
        objects = self._chance(_OBJECTION_CHANCE.get(self.dialogue.mood, 0.25)) and not was_asked
        if objects and (objections := self._shuffled("objection")):
            chosen = [objections[0], *questions]
        elif (was_asked or self._chance(0.7)) and (replies := self._shuffled("reply")):
            chosen, wanted = [replies[0], *questions], max(1, wanted)
        else:
            chosen = questions
        room = (_MAX_MESSAGES - len(self.dialogue.messages)) // 2
        return chosen[: min(wanted, room)]

    def _shuffled(self, kind: str) -> list[FollowUp]:
        fitting = [follow for follow in self.situation.follow if follow.kind == kind]
        return self.rng.sample(fitting, len(fitting))

    def _second_question(self) -> None:
        fitting = [aside for aside in self.content.asides if aside.article != self.situation.article]
        aside = self.dialogue.aside = self.rng.choice(fitting)
        self.turns.customer(self.turns.said(self.content.phrases.aside_lead), self.turns.said(aside.user))
        lead = [self.turns.say(self.content.phrases.aside_answer_lead)] if self._chance(0.3) else []
        self.turns.agent(*lead, self.turns.say(aside.agent))

    def _close(self) -> None:
        badly_served = self.dialogue.plan.fault not in (None, "contradiction")
        refused = self.denied or badly_served
        happy = not (refused and self._chance(0.85 if badly_served else 1 - self.mood.good_rating))
        if not self._has_room(1) or not self._chance(0.55):
            self.dialogue.happy = None if happy else False
            return
        self.dialogue.happy = happy
        phrases, mood = self.content.phrases, self.mood
        if self.customer.mixes_japanese and self._chance(0.5):
            self.turns.customer(
                self.turns.said(phrases.japanese_thanks if happy else phrases.japanese_unhappy)
            )
        elif happy:
            self.turns.customer(self.turns.said(phrases.accept_refusal if refused else mood.thanks))
        else:
            self.turns.customer(self.turns.said(mood.unhappy))
        if not badly_served and self._has_room(1) and self._chance(0.75):
            said = [self.turns.say(phrases.close_happy if happy else phrases.close_unhappy)]
            if happy and self.customer.mixes_japanese and self._chance(0.4):
                said.append(self.turns.say(phrases.close_japanese))
            self.turns.agent(*said)

    def _add_notes(self) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            note = Message("note", join([self.turns.say(self.content.phrases.note)]))
            at = self.rng.randrange(1, len(self.dialogue.messages) + 1)
            self.dialogue.messages.insert(at, note)
            self.dialogue.answer_index += at <= self.dialogue.answer_index

    def _contradiction(self) -> list[Piece]:
        answer, self.dialogue.misstatement = contradict(self.content, self.situation, self.scope, self.rng)
        self.turns.misstates = True
        return answer

    def _empathy(self) -> Variants:
        empathy = self.mood.empathy
        if self.situation.intent == "chitchat":
            return ()
        if self.denied:
            return empathy.denied
        return empathy.problem if self.situation.tone == "problem" else empathy.question

    def _beside(self, situation: Situation) -> Scope:
        """The slots of another situation for the same customer and agent."""
        if situation.name not in self._others:
            self._others[situation.name] = Scope(
                self.content, situation, self.customer, self.rng, self.scope.agents
            )
        return self._others[situation.name]

    def _has_room(self, messages: int) -> bool:
        return len(self.dialogue.messages) + messages <= _MAX_MESSAGES

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability
