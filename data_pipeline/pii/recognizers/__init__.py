"""Recognisers of personal data by rules: chosen one by one, none of Presidio's defaults."""

from collections.abc import Mapping

from data_pipeline.pii.recognizers.base import Recognizer
from data_pipeline.pii.recognizers.custom import CustomRecognizer
from data_pipeline.pii.recognizers.dates import AgeRecognizer, BirthDateRecognizer, DateTimeRecognizer
from data_pipeline.pii.recognizers.gazetteer import ListRecognizer
from data_pipeline.pii.recognizers.identity import DriverLicenseRecognizer, SsnRecognizer
from data_pipeline.pii.recognizers.mail import EmailRecognizer
from data_pipeline.pii.recognizers.names import NameRecognizer
from data_pipeline.pii.recognizers.network import IpAddressRecognizer, UrlRecognizer
from data_pipeline.pii.recognizers.payment import CardRecognizer, IbanRecognizer
from data_pipeline.pii.recognizers.phone import PhoneRecognizer
from data_pipeline.pii.recognizers.postal import PostcodeRecognizer
from data_pipeline.pii.recognizers.street import AddressRecognizer
from data_pipeline.pii.recognizers.titles import TitleRecognizer


def recognizers(patterns: Mapping[str, str]) -> list[Recognizer]:
    """All recognisers, and one for `patterns` (an expression for each entity type of the company's own)."""
    return [
        *([CustomRecognizer(patterns)] if patterns else []),
        EmailRecognizer(),
        UrlRecognizer(),
        IbanRecognizer(),
        CardRecognizer(),
        IpAddressRecognizer(),
        SsnRecognizer(),
        DriverLicenseRecognizer(),
        BirthDateRecognizer(),
        DateTimeRecognizer(),
        AgeRecognizer(),
        AddressRecognizer(),
        PostcodeRecognizer(),
        PhoneRecognizer(),
        NameRecognizer(),
        TitleRecognizer(),
        ListRecognizer(),
    ]
