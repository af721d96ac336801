import json
import shutil

import pytest

from common.chat import FAMILIES, load_tokenizer
from common.errors import UserError
from tests.common.chat.small_tokenizers import SPECIAL_TOKENS

each_family = pytest.mark.parametrize("name", FAMILIES)


@each_family
def test_a_loaded_tokenizer_stops_and_pads_with_the_familys_own_tokens(name, tokenizers, tokenizer_folders):
    family, tokenizer = FAMILIES[name], tokenizers[name]
    assert tokenizer.chat_template == family.template
    assert tokenizer.eos_token == family.end_of_turn
    assert tokenizer.pad_token == family.pad_token
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert tokenizer.padding_side == "right"
    saved = json.loads((tokenizer_folders[name] / "tokenizer.json").read_text(encoding="utf-8"))
    assert len(tokenizer) == len(saved["model"]["vocab"])
    assert all(
        len(tokenizer(token, add_special_tokens=False)["input_ids"]) == 1 for token in SPECIAL_TOKENS[name]
    )


@each_family
def test_the_right_family_loads_in_silence_and_again_after_saving(name, tokenizer_folders, tmp_path, capsys):
    load_tokenizer(tokenizer_folders[name], FAMILIES[name]).save_pretrained(tmp_path)
    again = load_tokenizer(tmp_path, FAMILIES[name])
    assert (again.chat_template, again.eos_token) == (FAMILIES[name].template, FAMILIES[name].end_of_turn)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "family", "missing", "looks_like"),
    [
        ("qwen2.5", "llama3.1", "<|begin_of_text|>", "qwen2.5"),
        ("llama3", "llama3.1", "<|finetune_right_pad_id|>", "llama3"),
        ("llama3.1", "gemma2", "<start_of_turn>", "llama3.1 or llama3.2"),
        ("tiny", "mistral-v0.3", "[INST]", "tiny"),
    ],
)
def test_a_tokenizer_of_another_family_is_refused_by_name(
    name, family, missing, looks_like, tokenizer_folders
):
    with pytest.raises(UserError) as caught:
        load_tokenizer(tokenizer_folders[name], FAMILIES[family])
    assert missing in caught.value.what
    assert caught.value.what.endswith(f"not of the family {family}: it looks like {looks_like}")
    assert caught.value.fix == f"set the chat family to {looks_like}"


def test_the_wrong_format_for_the_right_vocabulary_warns(tokenizer_folders, capsys):
    load_tokenizer(tokenizer_folders["llama3.1"], FAMILIES["llama3"])
    assert "set the chat family to llama3.1 or llama3.2" in " ".join(capsys.readouterr().out.split())


def test_qwen_2_5_and_qwen3_are_told_apart_by_what_they_write_without_a_system_message(
    tokenizer_folders, capsys
):
    load_tokenizer(tokenizer_folders["qwen3"], FAMILIES["qwen2.5"])
    assert "set the chat family to qwen3" in " ".join(capsys.readouterr().out.split())
    load_tokenizer(tokenizer_folders["qwen2.5"], FAMILIES["qwen3"])
    assert "set the chat family to qwen2.5" in " ".join(capsys.readouterr().out.split())


def test_a_special_token_that_a_customer_could_type_is_refused(tokenizer_folders, tmp_path):
    folder = shutil.copytree(tokenizer_folders["tiny"], tmp_path / "tokenizer")
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    data["added_tokens"].append({**data["added_tokens"][-1], "id": 500, "content": "<escalate>"})
    (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UserError, match=r"special tokens that a customer could type: <escalate>"):
        load_tokenizer(folder, FAMILIES["tiny"])


def test_a_missing_tokenizer_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"can't load a tokenizer from '.*nowhere'") as caught:
        load_tokenizer(tmp_path / "nowhere", FAMILIES["tiny"])
    assert "\n" not in caught.value.what
