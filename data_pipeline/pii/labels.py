"""Names of entity types in annotated files, and what they are compared as.

`TYPED` is the level of the headline figures. For people and places it follows the branches of
presidio-evaluator's own hierarchy, since files disagree below it: one calls "Mr." a PERSON, another a TITLE;
one calls a whole postal address an ADDRESS, another splits it into STREET_ADDRESS, GPE and ZIP_CODE. `FINE`
tells these apart.
Each map holds both sides: the names in files and our own. A name that is in neither is compared as it is.
"""

from collections.abc import Mapping
from types import MappingProxyType

_SAME_AT_BOTH_LEVELS = {
    "PERSON": "PERSON",
    "NAME": "PERSON",
    "FIRST_NAME": "PERSON",
    "LAST_NAME": "PERSON",
    "LOCATION": "LOCATION",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "CITY": "LOCATION",
    "STATE": "LOCATION",
    "COUNTRY": "LOCATION",
    "ORGANIZATION": "ORGANIZATION",
    "ORG": "ORGANIZATION",
    "COMPANY": "ORGANIZATION",
    "EMAIL_ADDRESS": "EMAIL_ADDRESS",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "PHONE": "PHONE_NUMBER",
    "CREDIT_CARD": "CREDIT_CARD",
    "CREDIT_CARD_NUMBER": "CREDIT_CARD",
    "IBAN_CODE": "IBAN_CODE",
    "IBAN": "IBAN_CODE",
    "US_SSN": "US_SSN",
    "SSN": "US_SSN",
    "US_DRIVER_LICENSE": "US_DRIVER_LICENSE",
    "IP_ADDRESS": "IP_ADDRESS",
    "DOMAIN_NAME": "URL",
    "DOMAIN": "URL",
    "URL": "URL",
    "DATE_TIME": "DATE_TIME",
    "DATE": "DATE_TIME",
    "TIME": "DATE_TIME",
    "BIRTHDAY": "DATE_TIME",
    "DATE_OF_BIRTH": "DATE_TIME",
    "AGE": "AGE",
    "NRP": "NRP",
    "NORP": "NRP",
    "NATIONALITY": "NRP",
}

TYPED: Mapping[str, str] = MappingProxyType(
    {
        **_SAME_AT_BOTH_LEVELS,
        "TITLE": "PERSON",
        "PREFIX": "PERSON",
        "ADDRESS": "LOCATION",
        "STREET_ADDRESS": "LOCATION",
        "ZIP_CODE": "LOCATION",
        "ZIPCODE": "LOCATION",
        "POSTCODE": "LOCATION",
    }
)

FINE: Mapping[str, str] = MappingProxyType(
    {
        **_SAME_AT_BOTH_LEVELS,
        "TITLE": "TITLE",
        "PREFIX": "TITLE",
        "ADDRESS": "ADDRESS",
        "STREET_ADDRESS": "ADDRESS",
        "ZIP_CODE": "ZIP_CODE",
        "ZIPCODE": "ZIP_CODE",
        "POSTCODE": "ZIP_CODE",
    }
)
