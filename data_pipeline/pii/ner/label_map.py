"""Other models' names of entity types, as ours."""

from collections.abc import Mapping
from types import MappingProxyType

LABEL_MAP: Mapping[str, str] = MappingProxyType(
    {
        "PER": "PERSON",
        "PERSON": "PERSON",
        "PERS": "PERSON",
        "NAME": "PERSON",
        "FIRST_NAME": "PERSON",
        "LAST_NAME": "PERSON",
        "GPE": "LOCATION",
        "LOC": "LOCATION",
        "LOCATION": "LOCATION",
        "FAC": "LOCATION",
        "CITY": "LOCATION",
        "STATE": "LOCATION",
        "COUNTRY": "LOCATION",
        "ORG": "ORGANIZATION",
        "ORGANIZATION": "ORGANIZATION",
        "ORGANISATION": "ORGANIZATION",
        "CORPORATION": "ORGANIZATION",
        "COMPANY": "ORGANIZATION",
        "ADDRESS": "ADDRESS",
        "STREET_ADDRESS": "ADDRESS",
    }
)


def entity_type(label: str) -> str | None:
    """Our name of a label such as `B-PER`, `LOC` or `street address`; None for what is not searched for."""
    name = label.upper().replace(" ", "_")
    if name[:2] in ("B-", "I-", "E-", "S-", "L-", "U-"):
        name = name[2:]
    return LABEL_MAP.get(name)
