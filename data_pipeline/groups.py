"""Groups of rows that share a key, directly or through other rows (union-find)."""

from collections.abc import Sequence


class Groups:
    """A group is named by the smallest of its keys, so that it keeps its name when rows join it.

    Keys begin with their kind, and `customer:` comes before `email:`, `text:` and `thread:`. So a new ticket
    of a known customer does not rename the customer's group.
    """

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def join(self, keys: Sequence[str]) -> None:
        """Put the groups of all these keys together."""
        roots = sorted({self.find(key) for key in keys})
        for root in roots[1:]:
            self._parent[root] = roots[0]

    def find(self, key: str) -> str:
        """The name of the key's group."""
        root = key
        while (parent := self._parent.setdefault(root, root)) != root:
            root = parent
        while key != root:
            self._parent[key], key = root, self._parent[key]
        return root
