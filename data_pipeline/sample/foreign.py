"""Conversations in other languages: short, and answered in the customer's language."""

import random

from data_pipeline.sample.company import Content
from data_pipeline.sample.conversation import Dialogue, Message, draw_channel
from data_pipeline.sample.grammar import join, plain
from data_pipeline.sample.label_models import Foreign
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope


def write_foreign(content: Content, entry: Foreign, customer: Customer, rng: random.Random) -> Dialogue:
    """Two or three messages; only names and titles are shared with the other dialogues."""
    scope = Scope(content, None, customer, rng)
    dialogue = Dialogue(
        entry.article,
        entry.intent,
        customer,
        scope,
        "calm",
        draw_channel(rng),
        plain(scope.say(entry.subjects)),
    )
    dialogue.messages += [
        Message("customer", join([scope.say(entry.openers)])),
        Message("agent", join([scope.say(entry.answers)])),
    ]
    if rng.random() < 0.5:
        dialogue.happy = True
        dialogue.messages.append(Message("customer", join([scope.say(entry.thanks)])))
    dialogue.answer_index = 1
    return dialogue
