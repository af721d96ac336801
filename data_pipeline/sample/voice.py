"""How a customer writes: spelling, capitals, quotes, and which languages are mixed."""

import random

from data_pipeline.sample import noise
from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Piece, has_japanese, plain
from data_pipeline.sample.people import Customer
from data_pipeline.sample.scope import Scope


def ensure_japanese(
    said: list[list[Piece]], content: Content, scope: Scope, customer: Customer
) -> list[list[Piece]]:
    """For customers who mix Japanese in: put some behind what is said, if none is there yet."""
    if not customer.mixes_japanese or has_japanese(plain(piece for part in said for piece in part)):
        return said
    return [*said, scope.say(content.phrases.japanese_aside)]


def as_written(
    pieces: list[Piece], content: Content, customer: Customer, mood: str, rng: random.Random
) -> list[Piece]:
    """A message as the customer types it: mistakes, lower case, shouting, full-width digits."""
    manner = content.moods[mood]
    pieces = noise.mistype(pieces, rng, manner.typo_rate * customer.typo_factor, content.misspellings)
    if rng.random() < manner.shout_rate:
        pieces = noise.shout(pieces, rng)
    elif customer.writes_lower_case or mood == "hurried":
        pieces = noise.lower(pieces)
    if customer.mixes_japanese and rng.random() < 0.35:
        pieces = noise.full_width(pieces)
    return noise.curl_quotes(pieces) if customer.curly_quotes else pieces
