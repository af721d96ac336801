"""One conversation between a customer and an agent, written from a situation.

    opening → (agent asks → reply) → answer → follow-ups → (second question → answer) → thanks or anger

Which parts there are, their words and the mood are drawn by chance; internal notes are put in at the end.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from data_pipeline.sample import noise
from data_pipeline.sample.grammar import Piece, join, plain
from data_pipeline.sample.models import Aside, Content, Exchange, FollowUp, Mood, Need, Situation, Variants
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope

Speaker = Literal["customer", "agent", "note"]
Channel = Literal["email", "web", "chat"]

_MAX_MESSAGES = 8
_OBJECTION_CHANCE = {"annoyed": 0.75, "furious": 0.75, "cheerful": 0.0}


@dataclass(frozen=True)
class Message:
    speaker: Speaker
    text: list[Piece]


@dataclass
class Dialogue:
    """`happy` tells how the customer left; None when nothing was said after the last answer."""

    situation: Situation
    customer: Customer
    agent_number: int
    mood: str
    channel: Channel
    subject: str
    messages: list[Message] = field(default_factory=list)
    happy: bool | None = None
    aside: Aside | None = None


def write_dialogue(
    content: Content, situation: Situation, customer: Customer, note_rate: float, rng: random.Random
) -> Dialogue:
    """Write one conversation of 2 to 8 public messages; `note_rate` is the chance of internal notes."""
    return _Writer(content, situation, customer, rng).write(note_rate)


class _Writer:
    def __init__(
        self, content: Content, situation: Situation, customer: Customer, rng: random.Random
    ) -> None:
        self.content, self.situation, self.customer, self.rng = content, situation, customer, rng
        self.scope = Scope(content, situation, customer, rng)
        self.denied = self.scope.text("outcome", situation.outcome) == "denied"
        moods = list(content.moods)
        weights = [content.moods[name].weights[situation.tone] for name in moods]
        mood = rng.choices(moods, weights)[0]
        channel: Channel = rng.choices(("email", "web", "chat"), (50, 30, 20))[0]
        subject = plain(self.scope.say(situation.subjects, by_customer=True))
        self.dialogue = Dialogue(situation, customer, self.scope.agent_number, mood, channel, subject)

    @property
    def mood(self) -> Mood:
        return self.content.moods[self.dialogue.mood]

    def write(self, note_rate: float) -> Dialogue:
        open_need = self._open()
        exchange: Exchange | Need | None = None
        if open_need:
            exchange = self.content.needs[open_need]
        elif self.situation.clarify and self._chance(0.6):
            exchange = self.rng.choice(self.situation.clarify)
        if exchange:
            self._agent(exchange.ask, asking=True)
            self._customer(exchange.reply)
        self._answer()
        for follow in self._follow_ups():
            self._customer(follow.user)
            self._agent(follow.agent)
        if self._has_room(2) and self._chance(0.12):
            self._second_question()
        self._close()
        if self._chance(note_rate):
            self._add_notes()
        return self.dialogue

    def _open(self) -> str | None:
        """Write the customer's first message. Returns the need that is left open, or None."""
        situation, mood, phrases = self.situation, self.mood, self.content.phrases
        japanese = self.customer.mixes_japanese
        parts: list[Variants] = []
        if self._chance(0.6):
            parts.append(phrases.japanese_greeting if japanese and self._chance(0.5) else mood.greeting)
        if self._chance(0.45):
            parts.append(getattr(mood.lead, situation.tone))
        in_japanese = japanese and situation.japanese and self._chance(0.5)
        parts.append(situation.japanese if in_japanese else situation.openers)
        open_need = self.rng.choice(situation.needs) if situation.needs and self._chance(0.4) else None
        parts += [self.content.needs[need].inline for need in situation.needs if need != open_need]
        late = parts.pop() if len(situation.needs) == 1 and not open_need and self._chance(0.1) else None
        if self._chance(0.5):
            in_japanese = japanese and self._chance(0.6)
            parts.append(phrases.japanese_tail if in_japanese else getattr(mood.tail, situation.tone))
        self._customer(*parts, opening=True)
        if late:
            self._customer(late)
        elif not open_need and self._chance(0.05):
            self._customer(phrases.customer_more)
        return open_need

    def _answer(self) -> None:
        found = self._agent_has_spoken() and self._chance(0.6)
        if self.dialogue.channel == "chat" and self._chance(0.25):
            self._agent(self.content.phrases.agent_wait, asking=True)
            found = False
        self._agent(*([self.content.phrases.agent_found] if found else []), self.situation.answers)

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
        self._customer(self.content.phrases.aside_lead, aside.user)
        lead = [self.content.phrases.aside_answer_lead] if self._chance(0.3) else []
        self._agent(*lead, aside.agent)

    def _close(self) -> None:
        happy = not (self.denied and self._chance(1 - self.mood.good_rating))
        if not self._has_room(1) or not self._chance(0.55):
            self.dialogue.happy = None if happy else False
            return
        self.dialogue.happy = happy
        phrases, mood = self.content.phrases, self.mood
        if self.customer.mixes_japanese and self._chance(0.5):
            self._customer(phrases.japanese_thanks if happy else phrases.japanese_unhappy)
        elif happy:
            self._customer(phrases.accept_refusal if self.denied else mood.thanks)
        else:
            self._customer(mood.unhappy)
        if self._has_room(1) and self._chance(0.75):
            words = [phrases.close_happy if happy else phrases.close_unhappy]
            if happy and self.customer.mixes_japanese and self._chance(0.4):
                words.append(phrases.close_japanese)
            self._agent(*words)

    def _add_notes(self) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            note = Message("note", join([self.scope.say(self.content.phrases.note)]))
            self.dialogue.messages.insert(self.rng.randrange(1, len(self.dialogue.messages) + 1), note)

    def _customer(self, *parts: Variants, opening: bool = False) -> None:
        """Add a customer's message: one variant of each part, typed as this customer types in this mood."""
        said = [self.scope.say(part, by_customer=True) for part in parts]
        pieces = self._greeted(said) if opening else join(said, close=True)
        customer, mood = self.customer, self.mood
        pieces = noise.mistype(
            pieces, self.rng, mood.typo_rate * customer.typo_factor, self.content.misspellings
        )
        if self._chance(mood.shout_rate):
            pieces = noise.shout(pieces, self.rng)
        elif customer.writes_lower_case or self.dialogue.mood == "hurried":
            pieces = noise.lower(pieces)
        if customer.mixes_japanese and self._chance(0.35):
            pieces = noise.full_width(pieces)
        if customer.curly_quotes:
            pieces = noise.curl_quotes(pieces)
        if self.dialogue.channel == "email":
            pieces = [*pieces, *self._mail_end(opening)]
        self.dialogue.messages.append(Message("customer", pieces))

    def _greeted(self, said: list[list[Piece]]) -> list[Piece]:
        """Join; a greeting with a comma takes a line of its own, or an exclamation mark in a chat."""
        greeting, rest = plain(said[0]), join(said[1:], close=True)
        if not rest or not greeting.endswith((",", "、")):
            return join(said, close=True)
        opening = f"{greeting[:-1]}! " if self.dialogue.channel == "chat" else f"{greeting}\n"
        return [Piece(opening[0].upper() + opening[1:]), *rest]

    def _mail_end(self, opening: bool) -> list[Piece]:
        """What mail programs leave under a text: a sign-off, or the agent's last mail once more."""
        phrases = self.content.phrases
        if opening:
            return [Piece("\n\n"), *self.scope.say(phrases.sign_off)] if self._chance(0.35) else []
        earlier = [message.text for message in self.dialogue.messages if message.speaker == "agent"]
        if not earlier or not self._chance(0.12):
            return []
        return [Piece("\n\n"), *self.scope.say(phrases.quote_header), Piece("\n"), *noise.quote(earlier[-1])]

    def _agent(self, *parts: Variants, asking: bool = False) -> None:
        """Add an agent's message; the first one greets and shows that the customer was heard."""
        phrases, in_chat = self.content.phrases, self.dialogue.channel == "chat"
        pieces: list[Piece] = []
        if not self._agent_has_spoken():
            greeting = self.scope.say(phrases.chat_greeting if in_chat else phrases.agent_greeting)
            pieces += [*join([greeting]), Piece(" " if in_chat else "\n")]
            if self._chance(0.8):
                kind = "ask" if asking else "denied" if self.denied else self.situation.tone
                parts = (getattr(self.mood.empathy, kind), *parts)
        pieces += join([self.scope.say(part) for part in parts])
        if self.dialogue.channel == "email" and self._chance(0.2):
            pieces += [Piece("\n\n"), *self.scope.say(phrases.agent_signature)]
        self.dialogue.messages.append(Message("agent", pieces))

    def _agent_has_spoken(self) -> bool:
        return any(message.speaker == "agent" for message in self.dialogue.messages)

    def _has_room(self, messages: int) -> bool:
        return len(self.dialogue.messages) + messages <= _MAX_MESSAGES

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability
