"""What the model is asked, and the form of its reply."""

from collections.abc import Mapping

from common.chat import Message
from common.generation import JsonSchema
from data_pipeline.pii.config import PLACEHOLDERS
from data_pipeline.synthetic.config import Difficulty, SynthesiseConfig
from data_pipeline.synthetic.plan import Request

SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": ["user", "assistant"]},
                    "content": {"type": "string"},
                },
                "required": ["role", "content"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["messages"],
    "additionalProperties": False,
}

_DIFFICULTIES: Mapping[Difficulty, str] = {
    "easy": "The customer asks one thing, which the passages answer directly.",
    "medium": "The customer describes a situation of their own. The assistant has to see which rule of the "
    "passages applies to it, and with which condition.",
    "hard": "The customer asks about two things, or believes something that the passages contradict. The "
    "assistant has to answer each part, and to correct what is wrong without blaming anybody.",
}
_FORM = '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}'


def prompt(request: Request, config: SynthesiseConfig) -> list[Message]:
    """The messages of one request."""
    placeholders = ", ".join(f"[{word}]" for word in (*PLACEHOLDERS.values(), *config.pii.patterns))
    instructions = (
        f"You write examples from which the support assistant of a company learns. {config.company}\n\n"
        "Write one conversation of a customer (role user) with the assistant (role assistant).\n"
        "- Everything that the assistant states stands in the passages of the knowledge base below: numbers, "
        "times, prices and conditions exactly as they stand there, nothing beside them. What the passages do "
        "not say, the assistant does not know either.\n"
        "- The customer has not read the passages and never mentions them; nor does the assistant.\n"
        "- The assistant answers what is asked, politely and briefly, in its own words. It does not promise "
        "to do anything outside of this conversation.\n"
        "- Nobody real is in it: where a name, an address or a number of an order or a customer belongs, "
        f"write the placeholder for it. There are {placeholders}, and no others.\n"
        f"- From one to {config.checks.max_messages // 2} questions, each followed by its answer; the "
        "customer begins, and an answer ends it.\n\n"
        f"Reply with one JSON object and nothing else: {_FORM}"
    )
    passages = "\n".join(f"<passage>\n{passage.text}\n</passage>" for passage in request.passages)
    wishes = (
        f"Language of both: {config.languages[request.language]}.\n"
        f"The customer {request.persona}.\n"
        f"The customer's tone is {request.tone}.\n"
        f"{_DIFFICULTIES[request.difficulty]}"
    )
    return [
        {"role": "system", "content": instructions},
        {"role": "user", "content": f"{passages}\n\n{wishes}"},
    ]
