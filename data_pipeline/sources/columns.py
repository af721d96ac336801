"""Which columns of a table, or keys of an object, mean what."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from common.config import Config

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class LabelColumns(Config):
    """Where a row says what somebody called it. A cell with a list holds several labels.

    In JSON, keys of objects within objects are written with dots: `review.label`. Behind the dot of a list
    stands the `id` whose `value` is meant: `custom_fields.360021`.
    """

    label: Text
    # Who: a column. Without it the source's name stands for whoever labelled the export.
    by: Text | None = None
    # When: a column, kept as it is written; numbers are seconds since 1970.
    at: Text | None = None


class Columns(Config):
    """Which column of a table means what: a row is a question with its answer, or one turn.

    Give `question` and `answer`, or `conversation`, `role` and `text`. The rows of a conversation have to
    stand together, in their order. Columns that are named nowhere are not read.
    """

    question: Text | None = None
    answer: Text | None = None
    system: Text | None = None

    conversation: Text | None = None
    role: Text | None = None
    text: Text | None = None
    # True, "true", "yes", "1": the customer does not see this turn.
    internal: Text | None = None
    # What stands in `role`, in small letters; other values are an error of the row.
    user_roles: tuple[Text, ...] = ("user", "customer", "client", "requester", "end-user", "human")
    assistant_roles: tuple[Text, ...] = ("assistant", "agent", "support", "bot", "admin", "gpt")

    id: Text | None = None
    # Rows that share a customer or an address stay in one split; neither becomes text.
    customer: Text | None = None
    email: Text | None = None
    # Name in the dataset (subject, tags, status, csat, priority, reward, ...) to column.
    fields: dict[Text, Text] = Field(default_factory=dict)

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are read, each once."""
        texts = (self.question, self.answer, self.system, self.conversation, self.role, self.text)
        others = (self.internal, self.id, self.customer, self.email)
        return tuple(dict.fromkeys(filter(None, (*texts, *others, *self.fields.values()))))

    @model_validator(mode="after")
    def _is_one_layout(self) -> "Columns":
        pair, turn = (self.question, self.answer), (self.conversation, self.role, self.text)
        if all(pair) and not any(turn):
            if self.internal:
                raise ValueError("internal is for tables with one turn a row")
            return self
        if all(turn) and not any(pair):
            if self.system or self.id:
                raise ValueError("system and id are for tables with a question and an answer a row")
            return self
        raise ValueError("give either question and answer, or conversation, role and text")


def columns_read(columns: Columns, labels: list[LabelColumns]) -> tuple[str, ...]:
    """The names of all columns that a table has to have."""
    of_labels = (name for label in labels for name in (label.label, label.by, label.at) if name)
    return tuple(dict.fromkeys([*columns.named, *of_labels]))
