"""Passages of a knowledge base for a question: words and meaning together, exact, without PyTorch.

retriever = Retriever(read_passages(Path("out/sample/kb")), OnnxEncoder(Path("out/encoder")))
for hit in retriever.search("The dust jacket came torn", k=3):
    print(hit.id, hit.score)
"""

from common.retrieval.passages import Passage, read_passages
from common.retrieval.search import Hit, Retriever

__all__ = ["Hit", "Passage", "Retriever", "read_passages"]
