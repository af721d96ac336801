"""A byte-level BPE tokenizer of the `tiny` chat family, trained on the general dialogue."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from common.chat import FAMILIES


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose first ids are the family's special tokens.

    Every byte is in the vocabulary, so no text is unknown: Japanese costs more tokens, and loses nothing.
    """
    family = FAMILIES["tiny"]
    tokenizer = Tokenizer(models.BPE())
    # Digits one by one: order numbers and amounts are copied, not memorised.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(family.special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=family.bos_token,
        eos_token=family.end_of_turn,
        pad_token=family.pad_token,
        chat_template=family.template,
        clean_up_tokenization_spaces=False,
    )
