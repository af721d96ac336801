"""The articles of the knowledge base, written out with their facts."""

import yaml

from data_pipeline.sample.company import Content
from data_pipeline.sample.grammar import Slot
from data_pipeline.sample.models import Article


def render_article(content: Content, article: Article) -> str:
    """Markdown under a front matter of id, title and topic."""
    fields = {"id": article.id, "title": article.title, "topic": article.topic}
    front = yaml.safe_dump(fields, sort_keys=False)
    parts = article.body.parts
    body = "".join(content.facts[part.name] if isinstance(part, Slot) else str(part) for part in parts)
    return f"---\n{front}---\n\n{body}\n"
