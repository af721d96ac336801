"""What the search for personal data, and what takes its place, can be told."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from common.config import Config, InputPath

PLACEHOLDERS = {
    "PERSON": "NAME",
    "TITLE": "TITLE",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "ADDRESS": "ADDRESS",
    "ZIP_CODE": "POSTCODE",
    "LOCATION": "PLACE",
    "COUNTRY": "COUNTRY",
    "ORGANIZATION": "ORGANIZATION",
    "NRP": "GROUP",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "US_SSN": "SSN",
    "US_DRIVER_LICENSE": "LICENSE",
    "IP_ADDRESS": "IP",
    "URL": "URL",
    "DATE_OF_BIRTH": "BIRTH_DATE",
    "DATE_TIME": "DATE",
    "AGE": "AGE",
}
"""Every entity type that can be found, and the word that stands for it: `[NAME]`."""

ALL_TYPES = tuple(PLACEHOLDERS)

DEFAULT_TYPES = tuple(name for name in ALL_TYPES if name not in ("COUNTRY", "NRP", "DATE_TIME"))
"""Left out is what points at nobody and what answers are made of: "to Norway?", "it comes on Friday"."""


def _is_known(entity_type: str) -> str:
    if entity_type not in PLACEHOLDERS:
        raise ValueError(f"unknown entity type '{entity_type}': one of {', '.join(ALL_TYPES)}")
    return entity_type


def _is_new(entity_type: str) -> str:
    if entity_type in PLACEHOLDERS or entity_type in PLACEHOLDERS.values():
        raise ValueError(f"'{entity_type}' is taken: choose another name for the pattern")
    return entity_type


def _compiles(pattern: str) -> str:
    try:
        matches_nothing = re.compile(pattern).search("") is not None
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if matches_nothing:
        raise ValueError("the expression matches the empty text")
    return pattern


EntityType = Annotated[str, AfterValidator(_is_known)]
CustomType = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{0,39}$"), AfterValidator(_is_new)]
Pattern = Annotated[str, AfterValidator(_compiles)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class PiiConfig(Config):
    """Which personal data is looked for, how, and what takes its place."""

    # "embedded" is the project's own model, a path a spaCy, Transformers or GLiNER model, null rules alone.
    detector: Literal["embedded"] | InputPath | None = "embedded"
    entity_types: list[EntityType] = Field(default_factory=lambda: list(DEFAULT_TYPES))
    # Kinds of the company's own, e.g. ORDER_NUMBER: 'MA-\d{6}'. Avoid nested repetition such as (a+)+.
    patterns: dict[CustomType, Pattern] = Field(default_factory=dict)
    # Product, series and brand names, and other words that are never personal data; case does not matter.
    allow_list: list[str] = Field(default_factory=list)
    # What is less sure is left; scores are from 0 to 1.
    threshold: float = Field(0.5, ge=0, le=1)
    thresholds: dict[EntityType, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    operator: Literal["replace", "mask", "hash", "encrypt"] = "replace"
    # [NAME_1], [NAME_2] in reading order, the same person by the same number throughout a conversation.
    pseudonyms: bool = False
    # The environment variable that holds the salt of `hash` (16 bytes or more) or the key of `encrypt` (16,
    # 24 or 32 bytes). The secret itself is in no config and in no manifest.
    secret: VariableName | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "PiiConfig":
        if (self.operator in ("hash", "encrypt")) != (self.secret is not None):
            needs = "needs" if self.secret is None else "has no use for"
            raise ValueError(
                f"operator '{self.operator}' {needs} secret, the name of an environment variable"
            )
        if self.pseudonyms and self.operator != "replace":
            raise ValueError(f"pseudonyms go with operator 'replace', not with '{self.operator}'")
        return self


def every_type(detector: Literal["embedded"] | Path | None = "embedded") -> PiiConfig:
    """The config that leaves no type out: what annotated sentences are compared with."""
    return PiiConfig(detector=detector, entity_types=list(ALL_TYPES))
