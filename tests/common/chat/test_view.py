import pytest

from common.chat import FAMILIES, render_conversations, trained_view
from common.chat.view import CONTEXT, SPECIAL, TRAINED

DIALOGUE = [
    {"role": "user", "content": "Where? 注文"},
    {"role": "assistant", "content": "Here 👩‍👩‍👧 [red]it[/red] is.\nBye."},
]


def styled(view):
    """The styled pieces below the head line, as (text, style)."""
    start = view.plain.index("\n") + 1
    return [(view.plain[s.start : s.end], s.style) for s in view.spans if s.start >= start]


def test_trained_context_and_special_tokens_have_their_styles(tokenizers):
    [[example]] = render_conversations(tokenizers["tiny"], FAMILIES["tiny"], [DIALOGUE])
    view = trained_view(tokenizers["tiny"], example)
    assert styled(view) == [
        ("<|bos|><|user|>", f"{SPECIAL} {CONTEXT}"),
        ("Where? 注文", CONTEXT),
        ("<|end|><|assistant|>", f"{SPECIAL} {CONTEXT}"),
        ("Here 👩‍👩‍👧 [red]it[/red] is.↵\nBye.", TRAINED),
        ("<|end|>", f"{SPECIAL} {TRAINED}"),
    ]
    counts = f"{len(example.input_ids)} tokens, {sum(example.trained)} trained"
    assert view.plain.startswith(counts + " (trained, context, special)\n")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_green_text_is_what_the_assistant_writes(name, tokenizers):
    [[example]] = render_conversations(tokenizers[name], FAMILIES[name], [DIALOGUE])
    pieces = styled(trained_view(tokenizers[name], example))
    green = "".join(text for text, style in pieces if TRAINED in style)
    assert green.strip() == DIALOGUE[1]["content"].replace("\n", "↵\n") + FAMILIES[name].end_of_turn
