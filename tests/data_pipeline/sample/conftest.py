"""The sample company as its tests see it: made once, with the frozen texts and seed 7."""

from typing import Any

import pytest

from data_pipeline.sample.company import Content
from data_pipeline.sample.content import load_content
from data_pipeline.sample.generate import Sample
from data_pipeline.sample.rates import Rates
from tests.data_pipeline.sample.made import Made

COUNT, UNSEEN = 1600, 150


@pytest.fixture(scope="session")
def content() -> Content:
    return load_content()


@pytest.fixture(scope="session")
def sample(content: Content) -> Sample:
    return Sample(content, 7, Rates())


@pytest.fixture(scope="session")
def tickets(sample: Sample) -> Made:
    """Tickets with their truth."""
    return [sample.ticket(index) for index in range(COUNT)]


@pytest.fixture(scope="session")
def unseen(sample: Sample) -> Made:
    return [sample.unseen_ticket(index) for index in range(UNSEEN)]


@pytest.fixture(scope="session")
def originals(tickets: Made) -> list[dict[str, Any]]:
    return [ticket for ticket, truth in tickets if not is_repeat(truth)]


def is_repeat(truth: dict[str, Any]) -> bool:
    return bool(truth["duplicate_of"] or truth["near_duplicate_of"])
