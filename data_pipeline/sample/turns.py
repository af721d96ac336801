"""The turns of a conversation: greetings, sign-offs and quoted mails around what is said."""

import random

from data_pipeline.sample import noise
from data_pipeline.sample.company import Content
from data_pipeline.sample.conversation import Dialogue, Message
from data_pipeline.sample.grammar import Piece, join, plain
from data_pipeline.sample.models import Variants
from data_pipeline.sample.scope import Scope
from data_pipeline.sample.voice import as_written


class Turns:
    """Adds messages to a dialogue, in the words of its customer and its agent."""

    def __init__(self, content: Content, dialogue: Dialogue, scope: Scope, rng: random.Random) -> None:
        self.content, self.dialogue, self.scope, self.rng = content, dialogue, scope, rng
        self.misstates = False

    def said(self, variants: Variants) -> list[Piece]:
        """The customer's words, for `customer`."""
        return self.scope.say(variants, by_customer=True)

    def say(self, variants: Variants) -> list[Piece]:
        """The agent's words, for `agent`."""
        pieces = self.scope.say(variants)
        misstatement = self.dialogue.misstatement
        self.misstates |= misstatement is not None and misstatement.fact in self.scope.used
        return pieces

    def customer(self, *said: list[Piece], opening: bool = False) -> None:
        """Add a customer's message, typed as this customer types in this mood."""
        pieces = self._greeted(list(said)) if opening else join(said, close=True)
        pieces = as_written(pieces, self.content, self.dialogue.customer, self.dialogue.mood, self.rng)
        if self.dialogue.channel == "email":
            pieces = [*pieces, *self._mail_end(opening)]
        self.dialogue.messages.append(Message("customer", pieces))

    def agent(self, *said: list[Piece], empathy: Variants = ()) -> None:
        """Add an agent's message; the first one greets, and mostly shows by `empathy` that it has heard."""
        phrases, in_chat = self.content.phrases, self.dialogue.channel == "chat"
        pieces: list[Piece] = []
        if not self.agent_has_spoken:
            greeting = self.say(phrases.chat_greeting if in_chat else phrases.agent_greeting)
            pieces += [*join([greeting]), Piece(" " if in_chat else "\n")]
            if empathy and self.rng.random() < 0.8:
                said = (self.say(empathy), *said)
        pieces += join(said)
        if self.dialogue.channel == "email" and self.rng.random() < 0.2:
            pieces += [Piece("\n\n"), *self.say(phrases.agent_signature)]
        self.dialogue.messages.append(Message("agent", pieces, self.misstates))
        self.misstates = False

    @property
    def agent_has_spoken(self) -> bool:
        return any(message.speaker == "agent" for message in self.dialogue.messages)

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
            return [Piece("\n\n"), *self.said(phrases.sign_off)] if self.rng.random() < 0.35 else []
        earlier = [message.text for message in self.dialogue.messages if message.speaker == "agent"]
        if not earlier or self.rng.random() >= 0.12:
            return []
        return [Piece("\n\n"), *self.said(phrases.quote_header), Piece("\n"), *noise.quote(earlier[-1])]
