import numpy as np
from numpy.typing import NDArray

from data_pipeline.diversity.label_noise import confident_classes, find_label_noise

CLASSES = ("refund", "shipping", "account")


def labelled(rows: int, noise: float) -> tuple[list[str | None], NDArray[np.float16], list[int]]:
    """Three clouds of vectors, their labels, and the places of the labels that are wrong."""
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(len(CLASSES), 16))
    true = draw.integers(len(CLASSES), size=rows)
    vectors = centres[true] + draw.normal(scale=0.3, size=(rows, 16))
    wrong = sorted(draw.choice(rows, size=int(noise * rows), replace=False).tolist())
    given = true.copy()
    given[wrong] = (given[wrong] + 1) % len(CLASSES)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return [CLASSES[number] for number in given], unit.astype(np.float16), wrong


def test_thresholds_are_each_classes_own():
    """The mean of what rows labelled 0 and 1 have for their class: .65 and .8."""
    likely = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9], [0.3, 0.7], [0.7, 0.3], [0.15, 0.85]])
    given = np.array([0, 0, 1, 1, 1, 0])
    likely_of_0 = (0.8 + 0.5 + 0.15) / 3
    likely_of_1 = (0.9 + 0.7 + 0.3) / 3
    assert likely_of_0 < 0.5 < likely_of_1 < 0.7
    assert confident_classes(likely, given).tolist() == [0, 0, 1, 1, 0, 1]


def test_a_class_that_nobody_is_labelled_with_is_never_suspected():
    assert confident_classes(np.array([[0.4, 0.6], [0.4, 0.6]]), np.array([0, 0])).tolist() == [0, 0]


def test_wrong_labels_are_suspected_and_right_ones_are_not():
    labels, vectors, wrong = labelled(600, noise=0.05)
    found = find_label_noise(labels, [str(n) for n in range(600)], vectors)
    suspected = [place for place, suspect in enumerate(found.suspected) if suspect]
    assert len(set(suspected) & set(wrong)) / len(wrong) > 0.85
    assert len(set(suspected) & set(wrong)) / len(suspected) > 0.9
    for place in set(suspected) & set(wrong):
        assert found.likelier[place] == CLASSES[(CLASSES.index(labels[place] or "") - 1) % 3]
        assert (found.confidence[place] or 0) < 0.5


def test_rows_of_one_key_do_not_vouch_for_each_other():
    """Ten copies with the same wrong label: a model that has seen one of them would believe the others."""
    labels, vectors, wrong = labelled(300, noise=0.01)
    copied = wrong[0]
    keys = [str(n) for n in range(300)] + [str(copied)] * 60
    labels += [labels[copied]] * 60
    vectors = np.concatenate([vectors, np.repeat(vectors[copied : copied + 1], 60, axis=0)])
    assert all(find_label_noise(labels, keys, vectors).suspected[300:])


def test_rows_without_a_label_and_rare_classes_are_not_judged():
    labels, vectors, _ = labelled(90, noise=0)
    labels[3:6] = [None, "rare", "rare"]
    found = find_label_noise(labels, [str(n) for n in range(90)], vectors)
    assert found.suspected[3:6] == found.confidence[3:6] == found.likelier[3:6] == [None] * 3
    assert found.suspected[6] is not None
    one_class = find_label_noise(["refund"] * 90, [str(n) for n in range(90)], vectors)
    assert one_class.suspected == [None] * 90


def test_the_order_of_rows_does_not_matter():
    labels, vectors, _ = labelled(200, noise=0.1)
    keys = [str(n) for n in range(200)]
    found = find_label_noise(labels, keys, vectors, fit_rows=100)
    mixed = np.random.default_rng(1).permutation(200)
    again = find_label_noise(
        [labels[n] for n in mixed], [keys[n] for n in mixed], vectors[mixed], fit_rows=100
    )
    assert again.confidence == [found.confidence[n] for n in mixed]
