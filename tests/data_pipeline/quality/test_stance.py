import pytest

from data_pipeline.quality.stance import contradicts, stance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Signed copies can be returned.", True),
        ("You may return them at any time.", True),
        ("We accept vouchers.", True),
        ("Signed copies cannot be returned.", False),
        ("They can't be returned.", False),
        ("It is not possible to cancel.", False),
        ("We don't ship abroad.", False),
        ("We take no reservations.", False),
        ("You can return it, but signed copies cannot be returned.", None),
        ("The box is blue.", None),
    ],
)
def test_stance(text: str, expected: bool | None) -> None:
    assert stance(text) is expected


def test_opposites_about_the_same_thing_contradict() -> None:
    allowed, forbidden = "Bags can be returned.", "Bags cannot be returned."
    assert contradicts(allowed, forbidden, likeness=0.9)
    assert contradicts(forbidden, allowed, likeness=0.9)
    assert not contradicts(allowed, forbidden, likeness=0.5)
    assert not contradicts(allowed, allowed, likeness=0.9)
    assert not contradicts("Bags are blue.", forbidden, likeness=0.9)
