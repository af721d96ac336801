"""Train the project's own name detector.

    python -m data_pipeline.pii.train_ner configs/train_ner.yaml

Writes an artifact with `model.onnx`, `vocabulary.txt` and `settings.json`, which `load_detector` and a
pipeline's `detector:` take by path. Needs Faker and the public sets btc, wnut17 and wikigold.
"""

import random
from collections.abc import Sequence
from pathlib import Path

from common import artifacts, console
from common.command import Options, run
from data_pipeline.pii.ner.config import TrainNerConfig
from data_pipeline.pii.ner.labelled import Labelled

_CODE = ("data_pipeline/pii/ner", "data_pipeline/pii/train_ner.py")
_HELD_OUT_TEXTS = 3_000


def train_ner(config: TrainNerConfig, options: Options) -> None:
    """Write the artifact of `config`, unless it is there already."""
    if options.dry_run:
        console.say(f"would write {config.output}")
        return
    from data_pipeline.pii.ner.public import paths

    inputs = {f"public_data/{path.parent.name}": path for path in paths(config.public_data)}
    recipe = artifacts.Recipe.of("ner", config, inputs=inputs, code=_CODE)
    if not options.force and artifacts.is_up_to_date(config.output, recipe):
        console.say(f"{config.output} is up to date")
        return
    with artifacts.writing(config.output, recipe) as folder:
        recipe.counts.update(_train(folder, config))
    console.run_log("NER", output=config.output, **recipe.counts)


def _train(folder: Path, config: TrainNerConfig) -> dict[str, float]:
    """Write the model's files into `folder`; returns the figures of the last pass and of held-out values."""
    import torch

    from data_pipeline.pii.ner import corpus, export, network, pieces, public, training
    from data_pipeline.pii.ner.features import Features
    from data_pipeline.pii.ner.values import draw_values

    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    vocabulary, vectors = pieces.load_pieces()
    features = Features(vocabulary)
    read = training.examples(public.read_public(config.public_data) * config.public_repeats, features)
    sentences = corpus.load_sentences()
    values = draw_values(config.values_per_locale, config.seed)
    console.choice("public", len(read), "sentences of btc, wnut17 and wikigold")
    console.choice("templates", len(sentences.personal), f"and {len(sentences.clean)} without personal data")

    def make_pass(number: int) -> list[training.Example]:
        rng = random.Random(f"{config.seed}:{number}")
        texts = corpus.generate(sentences, values, config.generated, config.clean_share, rng)
        return [*training.examples(texts, features), *read]

    losses: list[float] = []

    def report(number: int, loss: float, seconds: float) -> None:
        losses.append(round(loss, 4))
        console.say(f"pass {number + 1} of {config.passes}: loss {loss:.4f}, {seconds:.0f} s")

    tagger = network.Tagger(vectors, config.width)
    training.train(tagger, make_pass, config, report)
    export.save_model(folder, tagger, vocabulary, config.outside_bias, {"seed": config.seed})
    held_out = draw_values(config.values_per_locale, config.seed, held_out=True)
    rng = random.Random(f"{config.seed}:held out")
    texts = corpus.generate(sentences, held_out, _HELD_OUT_TEXTS, config.clean_share, rng)
    return {"loss": losses[-1], **_measure(folder, texts)}


def _measure(folder: Path, texts: Sequence[Labelled]) -> dict[str, float]:
    """Exact spans found with values that training never saw, and the clean texts that were flagged."""
    from data_pipeline.pii.ner.tagger import TaggerDetector

    found = TaggerDetector(folder).find([text.text for text in texts])
    wanted = [{(s.start, s.end, s.entity_type) for s in text.spans} for text in texts]
    got = [{(s.start, s.end, s.entity_type) for s in spans} for spans in found]
    hits = sum(len(one & two) for one, two in zip(wanted, got, strict=True))
    clean = [two for one, two in zip(wanted, got, strict=True) if not one]
    return {
        "held_out_recall": round(hits / max(1, sum(map(len, wanted))), 4),
        "held_out_precision": round(hits / max(1, sum(map(len, got))), 4),
        "clean_flagged": round(sum(map(bool, clean)) / max(1, len(clean)), 4),
    }


if __name__ == "__main__":
    run(train_ner, TrainNerConfig, __doc__)
