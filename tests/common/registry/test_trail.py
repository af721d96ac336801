"""The trail as a list that many write: nothing is lost, and what it amounts to is right."""

from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient

from common.registry import Entry, Moved, Registry
from common.registry.store import Store
from common.registry.trail import State, Trail


def test_who_decides_later_decides_on_the_newer_state(sqlite, name, adapter):
    Registry(sqlite).register(name, adapter)
    trail = Trail.find(Store(sqlite), name)
    rivals = [2, 3]

    def decide(state):
        before = state.aliases.get("shadow")
        if rivals:  # another process moves the alias between our look and our write
            trail.append(lambda _: Moved("shadow", before, rivals.pop()), "rival", "")
        return Moved("shadow", before, 1)

    trail.append(decide, "we", "")
    moves = [entry.change for entry in trail.entries()]
    assert moves == [Moved("shadow", None, 3), Moved("shadow", 3, 2), Moved("shadow", 2, 1)]


def test_a_request_that_the_client_repeats_changes_nothing(registry, name, adapter, monkeypatch):
    for method in ("create_registered_model", "log_param"):  # as after an answer that got lost on its way
        original = getattr(MlflowClient, method)

        def twice(*args, original=original, **kwargs):
            original(*args, **kwargs)
            return original(*args, **kwargs)

        monkeypatch.setattr(MlflowClient, method, twice)
    registry.register(name, adapter)
    registry.alias(name, "shadow", 1, why="look")
    assert [entry.change for entry in registry.trail(name)] == [Moved("shadow", None, 1)]


@given(st.lists(st.integers(1, 4)))
def test_previous_is_the_champion_before_this_one(numbers):
    entries, champion = [], None
    for number in numbers:
        if number != champion:
            entries.append(Entry("", "", "", Moved("champion", champion, number), ""))
            champion = number
    runs = [entry.change.after for entry in entries]
    aliases = State.of(entries).aliases
    assert aliases.get("champion") == (runs[-1] if runs else None)
    assert aliases.get("previous") == (runs[-2] if len(runs) > 1 else None)


def test_a_long_trail_is_read_whole(sqlite, name, adapter):
    Registry(sqlite).register(name, adapter)
    trail = Trail.find(Store(sqlite), name)
    last = None
    for number in range(120):
        trail.append(lambda _, last=last, number=number: Moved("shadow", last, number), "we", "")
        last = number
    assert [entry.change.after for entry in trail.entries()] == list(range(120))
