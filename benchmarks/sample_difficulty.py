"""How far a trivial model gets on the sample company's labels: TF-IDF and logistic regression.

    python -m benchmarks.sample_difficulty out/mangaassist

Features are words of one and two, and those with characters of three to five. Regularisation and class
weights are chosen on the validation part, decision thresholds of the sentiments too. What the best of them
scores on the test part must stay below the limits that are printed: the data would be too easy otherwise.
Beside it, the scores of always giving the most frequent answer, and the guard's length rule.
"""

import json
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_union
from sklearn.preprocessing import MultiLabelBinarizer

from common.console import table

INTENT_LIMIT, SENTIMENT_LIMIT = 0.85, 0.60
PARTS = ("test", "handwritten", "golden")

Rows = list[dict[str, Any]]
Array = np.ndarray[Any, np.dtype[Any]]


def main(folder: Path) -> None:
    """Train on train, choose on validation, score the rest, print tables."""
    messages = {
        name: _read(folder / "messages" / f"{name}.jsonl") for name in ("train", "validation", *PARTS)
    }
    intent = print_intents(messages)
    sentiment = print_sentiments(messages)
    print_guard(folder / "guard")
    if intent > INTENT_LIMIT or sentiment > SENTIMENT_LIMIT:
        raise SystemExit(f"too easy: intent {intent:.3f}, sentiment {sentiment:.3f}")


def print_intents(messages: dict[str, Rows]) -> float:
    """Print a table; returns the best accuracy on the test part."""
    labels = {name: [row["intent"] for row in rows] for name, rows in messages.items()}
    texts = {name: _texts(rows) for name, rows in messages.items()}

    def score(model: Pipeline, part: str) -> float:
        return float(accuracy_score(labels[part], model.predict(texts[part])))

    rows, reached = [], []
    for name, features in FEATURES.items():
        models = [
            Pipeline([("features", features()), ("model", _regression(c, weights))]).fit(
                texts["train"], labels["train"]
            )
            for c, weights in CHOICES
        ]
        best = max(models, key=lambda model: score(model, "validation"))
        macro = f1_score(labels["test"], best.predict(texts["test"]), average="macro")
        rows.append((name, *(f"{score(best, part):.3f}" for part in PARTS), f"{macro:.3f}"))
        reached.append(score(best, "test"))
    frequent = max(set(labels["train"]), key=labels["train"].count)
    shares = (np.mean([label == frequent for label in labels[part]]) for part in PARTS)
    rows.append((f"always {frequent}", *(f"{share:.3f}" for share in shares), "-"))
    title = f"intent, accuracy (limit {INTENT_LIMIT} on test)"
    table(title, ("", *PARTS, "test macro-F1"), rows)
    return max(reached)


def print_sentiments(messages: dict[str, Rows]) -> float:
    """Print a table; returns the best macro-F1 on the test part."""
    binarizer = MultiLabelBinarizer().fit([row["sentiment"] for row in messages["train"]])
    labels = {
        name: binarizer.transform([row["sentiment"] for row in rows]) for name, rows in messages.items()
    }
    texts = {name: _texts(rows) for name, rows in messages.items()}
    rows, reached = [], []
    for name, features in FEATURES.items():
        best: tuple[float, Any, Array] = (-1.0, None, np.array([]))
        for c, weights in CHOICES:
            model = Pipeline(
                [("features", features()), ("model", OneVsRestClassifier(_regression(c, weights)))]
            ).fit(texts["train"], labels["train"])
            scores = model.predict_proba(texts["validation"])
            thresholds = _thresholds(scores, labels["validation"])
            f1 = _macro_f1(labels["validation"], scores >= thresholds)
            best = max(best, (f1, model, thresholds), key=lambda entry: entry[0])
        _, model, thresholds = best
        decided = {part: model.predict_proba(texts[part]) >= thresholds for part in PARTS}
        plain = _macro_f1(labels["test"], model.predict_proba(texts["test"]) >= 0.5)
        f1s = (f"{_macro_f1(labels[part], decided[part]):.3f}" for part in PARTS)
        reached.append(max(_macro_f1(labels["test"], decided["test"]), plain))
        exact = np.mean((decided["test"] == labels["test"]).all(axis=1))
        rows.append((name, *f1s, f"{plain:.3f}", f"{exact:.3f}"))
    title = f"sentiment, macro-F1 with thresholds from validation (limit {SENTIMENT_LIMIT} on test)"
    table(title, ("", *PARTS, "test at 0.5", "test exact match"), rows)
    return max(reached)


def print_guard(folder: Path) -> None:
    parts = {name: _read(folder / f"{name}.jsonl") for name in ("train", "test", "handwritten")}
    truth = {name: [row["label"] == "attack" for row in rows] for name, rows in parts.items()}
    texts = {name: _texts(rows) for name, rows in parts.items()}
    rows = []
    for name, features in FEATURES.items():
        model = Pipeline([("features", features()), ("model", _regression(10.0, None))])
        model.fit(texts["train"], truth["train"])
        rows.append((name, *_guard_scores(lambda t, m=model: m.predict_proba(t)[:, 1], texts, truth)))  # type: ignore[misc]
    rows.append(("longer than n", *_guard_scores(lambda t: np.array(list(map(len, t))), texts, truth)))
    table("guard", ("", "AUROC test", "recall at 1 % FPR", "AUROC handwritten"), rows)


def _guard_scores(
    score: Callable[[list[str]], Array], texts: dict[str, list[str]], truth: dict[str, list[bool]]
) -> tuple[str, str, str]:
    scores, attacks = score(texts["test"]), np.array(truth["test"])
    threshold = np.quantile(scores[~attacks], 0.99)
    recall = np.mean(scores[attacks] > threshold)
    areas = [roc_auc_score(truth[part], score(texts[part])) for part in ("test", "handwritten")]
    return f"{areas[0]:.3f}", f"{recall:.3f}", f"{areas[1]:.3f}"


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def _characters() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)


def _both() -> FeatureUnion:
    return make_union(_words(), _characters())


FEATURES: dict[str, Callable[[], TfidfVectorizer | FeatureUnion]] = {
    "words": _words,
    "words and characters": _both,
}
CHOICES: Sequence[tuple[float, str | None]] = list(product((1.0, 10.0), (None, "balanced")))


def _regression(c: float, weights: str | None) -> LogisticRegression:
    return LogisticRegression(C=c, class_weight=weights, max_iter=300)


def _thresholds(scores: Array, labels: Array) -> Array:
    """For each label, the threshold with the best F1."""
    grid = np.arange(0.05, 0.95, 0.025)
    return np.array(
        [
            max(grid, key=lambda t: f1_score(labels[:, k], scores[:, k] >= t, zero_division=0))
            for k in range(labels.shape[1])
        ]
    )


def _macro_f1(labels: Array, decided: Array) -> float:
    return float(f1_score(labels, decided, average="macro", zero_division=0))


def _read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _texts(rows: Rows) -> list[str]:
    return [row["text"] for row in rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
