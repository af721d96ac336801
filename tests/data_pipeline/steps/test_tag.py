from datatrove.data import Document

from data_pipeline.diversity.config import DiversityConfig, TopicConfig
from data_pipeline.steps.tag import Tag


def test_labels_name_topics_and_what_is_critical() -> None:
    said = [{"role": "user", "content": "You will hear from us."}, {"role": "assistant", "content": "I see."}]
    labels = [{"by": "ana", "label": "law suit", "at": None}]
    metadata = {"messages": said, "fields": {"rating": 9}, "labels": labels}
    config = DiversityConfig(topic=TopicConfig(tags={"law suit": "legal"}), critical=("legal",))
    [document] = Tag(config, csat_best=10).run(iter([Document(text="", id="a", metadata=metadata)]))
    tags = document.metadata["tags"]
    assert (tags["topic"], tags["critical"], tags["sentiment"]) == ("legal", True, "positive")
