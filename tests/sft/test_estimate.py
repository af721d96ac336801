"""Memory and time of runs that are not made: weights, sums that move the right way, figures of others."""

import re
from pathlib import Path
from typing import Any

import pytest

from common.command import ALL_GPUS
from common.config import load
from common.errors import ConfigError
from sft.config import TrainConfig
from sft.estimate.duration import duration, flops_per_token
from sft.estimate.gpus import GPUS, find_gpus
from sft.estimate.memory import GIB, Memory, peak_memory
from sft.estimate.report import show_estimate, verdict
from sft.estimate.schedule import schedule
from sft.estimate.workload import Workload
from tests.common.small_models import write_model
from tests.sft.architectures import HYPER_PARAMETERS, architecture
from tests.sft.small_runs import small_config

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = (ROOT / "docs/estimate.md").read_text()
EXPERTS = {
    "dropout": 0,
    "target_modules": [],
    "target_parameters": ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
}


def config(**changes: Any) -> TrainConfig:
    settings = {"model": "x", "chat_template": "llama3.1", "dataset": "d", "output": "o"} | changes
    return TrainConfig.model_validate(settings, context={"check_paths": False})


def memory(name: str = "llama31_8b", **changes: Any) -> Memory:
    return peak_memory(config(**changes), architecture(name))


def speed(settings: TrainConfig, name: str, gpu: str, length: int | None = None) -> float:
    """Tokens a second where every example has `length` tokens, and all of them are trained."""
    length = length or settings.max_length
    plan = schedule(settings, 1600)
    tokens = float(1600 * length)
    work = Workload(tokens, 0.0, 1.0, float(length), length, plan)
    return duration(settings, architecture(name), find_gpus(gpu)[0], work).tokens_per_second


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("llama31_8b", 8_030_261_248),
        ("llama31_70b", 70_553_706_496),
        ("llama32_3b", 3_212_749_824),
        ("qwen25_3b", 3_085_938_688),
        ("qwen25_7b", 7_615_616_512),
        ("qwen25_72b", 72_706_203_648),
        ("mistral_7b_v03", 7_248_023_552),
        ("gemma2_2b", 2_614_341_888),
        ("qwen3_30b_a3b", 30_532_122_624),
    ],
)
def test_weights_are_counted_as_published(name: str, weights: int) -> None:
    assert architecture(name).total == weights


def test_of_experts_only_the_chosen_ones_work_on_a_token() -> None:
    moe = architecture("qwen3_30b_a3b")
    assert moe.active_total == pytest.approx(3.3e9, rel=0.02), "the model card says 3.3 B activated"
    assert sum(matrix.size for matrix in moe.stacked) == 48 * 128 * 3 * 768 * 2048
    assert architecture("llama31_8b").active_total == 8_030_261_248


@pytest.mark.parametrize("top", [None, 1])
@pytest.mark.parametrize(
    ("family", "lora"),
    [
        ("tiny", {"r": 4}),
        ("tiny", {"r": 3, "use_dora": True, "target_modules": ["q_proj", "down_proj"]}),
        ("qwen3", {"r": 2, **EXPERTS}),
        ("qwen3", {"r": 2, **EXPERTS, "target_modules": ["o_proj"]}),
    ],
)
def test_adapters_have_as_many_weights_as_peft_gives_them(
    tmp_path: Path, family: str, lora: dict[str, Any], top: int | None
) -> None:
    from sft.backends import peft
    from sft.choices import Choices
    from sft.estimate.architecture import read_architecture

    base = write_model(tmp_path / "base", family)
    settings = config(model=str(base), chat_template=family, lora=lora | {"top_layers": top})
    model = peft.prepare(settings, Choices())
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert read_architecture(str(base)).adapter_weights(settings.lora) == trained > 0


def test_adams_moments_have_the_type_of_what_is_trained() -> None:
    import torch

    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    state = optimizer.state[weight]
    assert {weight.grad.dtype, state["exp_avg"].dtype, state["exp_avg_sq"].dtype} == {torch.bfloat16}


def test_pieces_of_logits_are_as_large_as_trls() -> None:
    """Read from the files: importing the kernel needs Triton."""
    import importlib.util

    from sft.estimate.memory import HEAD_TOKENS, HEAD_VOCABULARY

    spec = importlib.util.find_spec("trl")
    assert spec is not None and spec.origin is not None
    trl = Path(spec.origin).parent
    kernel, utils = (trl / "kernels/chunked_logprob.py").read_text(), (trl / "trainer/utils.py").read_text()
    assert f"TOKEN_CHUNK_SIZE = {HEAD_TOKENS}\n" in kernel
    assert f"_CHUNKED_LOGPROB_CHUNK_SIZE = {HEAD_VOCABULARY}\n" in utils


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"per_device_train_batch_size": 2}, {"per_device_train_batch_size": 3}),
        ({"max_length": 1024}, {"max_length": 1025}),
        ({"lora": {"r": 8}}, {"lora": {"r": 9}}),
        ({"load_in_4bit": True}, {"load_in_4bit": False}),
        ({"gradient_checkpointing": True}, {"gradient_checkpointing": False}),
        ({"dtype": "bfloat16"}, {"dtype": "float32"}),
        ({"lora": {"top_layers": 4}}, {"lora": {}}),
        ({"lora": {"dropout": 0}}, {"lora": {"dropout": 0.1}}),
        ({"lora": {}}, {"lora": None}),
    ],
)
def test_memory_moves_the_right_way(less: dict[str, Any], more: dict[str, Any]) -> None:
    assert memory(**less).total < memory(**more).total


def test_an_8b_qlora_fits_24_gb_and_16_bit_lora_does_not_fit_16() -> None:
    qlora = memory(load_in_4bit=True)
    assert verdict(qlora, find_gpus("RTX 4090")[0]) == verdict(qlora, find_gpus("L4")[0]) == "fits"
    assert verdict(memory(), find_gpus("T4")[0]) == "no"
    assert qlora.weights == pytest.approx(5.31 * GIB, rel=0.01), "6.98 B at 4.127 bits, 1.05 B at 16"


def test_a_stack_of_experts_is_not_quantised_and_is_written_out() -> None:
    lora = EXPERTS | {"r": 8}
    in_4_bit = memory("qwen3_30b_a3b", load_in_4bit=True, lora=lora)
    assert in_4_bit.weights > 0.95 * memory("qwen3_30b_a3b", lora=lora).weights
    a_block = 2 * 128 * 3 * 768 * 2048
    assert memory("qwen3_30b_a3b", lora=lora).block > 2 * a_block, "with the update, and its gradient"
    assert memory("qwen3_30b_a3b", lora=lora, gradient_checkpointing=False).kept > 48 * a_block


def test_operations_a_token_are_the_formulas() -> None:
    eight = architecture("llama31_8b")
    lora = {"r": 8, "dropout": 0}
    training, forward = flops_per_token(config(lora=lora), eight, attended=0)
    blocks = eight.total - 2 * 128256 * 4096
    adapters = eight.adapter_weights(config(lora=lora).lora)
    assert forward == 2 * (blocks + eight.head)
    assert training == 2 * forward + 2 * blocks + 6 * adapters
    without, _ = flops_per_token(config(lora=lora, gradient_checkpointing=False), eight, attended=0)
    assert without == training - 2 * blocks
    every, _ = flops_per_token(config(lora=None), eight, attended=0)
    assert every == 3 * forward + 2 * blocks
    _, longer = flops_per_token(config(), eight, attended=1000)
    assert longer - forward == 2 * 4096 * 1000 * 32


def test_few_tokens_take_the_time_of_reading_the_weights() -> None:
    settings = config(load_in_4bit=True, per_device_train_batch_size=1)
    assert speed(settings, "llama31_8b", "H100", 16) < speed(settings, "llama31_8b", "H100", 1024) / 2


PUBLISHED = {
    "LLaMA2-7B, QLoRA r=8, 1 x 1,024, A100-40GB": ("llama2_7b", "A100-40GB", 1, 1024, True, 6.0, 2295),
    "LLaMA2-7B, QLoRA r=8, 1 x 2,048, A100-40GB": ("llama2_7b", "A100-40GB", 1, 2048, True, 7.0, 2741),
    "LLaMA2-7B, QLoRA r=8, 1 x 4,096, A100-40GB": ("llama2_7b", "A100-40GB", 1, 4096, True, 9.0, 2926),
    "LLaMA2-7B, LoRA r=8, 4 x 1,024, A100-40GB": ("llama2_7b", "A100-40GB", 4, 1024, False, 17.0, 2954),
    "Llama 3.1 8B, QLoRA r=8, 2 x 2,048, RTX 4090": ("llama31_8b", "RTX 4090", 2, 2048, True, 7.4, 2413),
}


def published_and_estimated(run: str) -> tuple[float, float, float, float]:
    """Memory in the publication's unit (GB, or GiB for torchtune's) and tokens/s, theirs and ours."""
    name, gpu, batch, length, in_4_bit, their_memory, their_speed = PUBLISHED[run]
    settings = config(
        load_in_4bit=in_4_bit,
        per_device_train_batch_size=batch,
        max_length=length,
        lora={"r": 8, "dropout": 0},
    )
    peak = peak_memory(settings, architecture(name)).gib
    return their_memory, peak, their_speed, speed(settings, name, gpu)


@pytest.mark.parametrize("run", [run for run in PUBLISHED if "LLaMA2" in run])
def test_the_estimate_is_near_what_llama_factory_has_measured(run: str) -> None:
    """Their memory holds whole logits: 32,000 entries in 16 and 32 bits a token, which ours does not."""
    their_memory, peak, their_speed, ours = published_and_estimated(run)
    assert 0.75 < peak / their_memory < 1.05
    assert 0.7 < ours / their_speed < 1.1


def test_the_estimate_is_above_the_memory_and_below_the_speed_of_compiled_torchtune() -> None:
    their_memory, peak, their_speed, ours = published_and_estimated(
        "Llama 3.1 8B, QLoRA r=8, 2 x 2,048, RTX 4090"
    )
    assert 1.0 < peak / their_memory < 1.3
    assert 0.4 < ours / their_speed < 1.0


def test_the_documents_published_figures_are_the_codes() -> None:
    figures_of = r"(\S+) (?:GB|GiB), (\S+) tok/s"
    rows = re.findall(rf"^\| (L.+?) \| {figures_of} \| {figures_of} \|$", DOCUMENT, re.M)
    assert [row[0] for row in rows] == list(PUBLISHED)
    for run, *figures in rows:
        their_memory, peak, their_speed, ours = published_and_estimated(run)
        expected = [f"{their_memory:.1f}", f"{their_speed:,}", f"{peak:.1f}", f"{ours:,.0f}"]
        assert figures == expected, run


def test_the_documents_figures_of_configs_are_the_codes() -> None:
    rows = re.findall(r"^\| `(configs/(\w+)\.yaml)` \| (\S+) \| (\S+) \|$", DOCUMENT, re.M)
    assert {name for _, name, _, _ in rows} == set(HYPER_PARAMETERS) - {"llama2_7b"}
    for path, name, gib, tokens in rows:
        settings = load(TrainConfig, ROOT / path, check_paths=False)
        peak = peak_memory(settings, architecture(name)).gib
        assert (gib, tokens) == (f"{peak:.1f}", f"{speed(settings, name, 'H100'):,.0f}"), path


@pytest.mark.parametrize(
    ("written", "name"), [("h100", "H100"), ("RTX4090", "RTX 4090"), ("a100-40gb", "A100-40GB")]
)
def test_a_gpu_is_found_however_it_is_written(written: str, name: str) -> None:
    assert [gpu.name for gpu in find_gpus(written)] == [name]
    assert find_gpus(ALL_GPUS) == GPUS


@pytest.mark.parametrize(
    ("written", "hint"), [("A100", "A100-40GB or A100-80GB"), ("H1000", "H100"), ("4090", "RTX 4090")]
)
def test_an_unknown_gpu_is_answered_with_near_ones(written: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"knows no GPU '{written}'. Did you mean {hint}") as caught:
        find_gpus(written)
    assert caught.value.exit_code == 2


def test_steps_are_those_of_the_trainer() -> None:
    settings = config(num_train_epochs=3, warmup_ratio=0.03, eval_steps=100)
    plan = schedule(settings, 1001)  # 251 micro-batches of 4: 63 steps of 4 of them an epoch
    assert (plan.batch, plan.steps, plan.warmup, plan.checkpoints, plan.evaluations) == (16, 189, 6, 2, 3)
    assert schedule(config(max_steps=7), 1001).steps == 7


def test_memory_and_time_are_printed_for_one_gpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_estimate(small_config(tmp_path), "H100")
    shown = capsys.readouterr().out
    assert re.search(r"│ peak +│ +0\.6 │", shown) and re.search(r"│ H100 │ 79\.1 │ fits │ +0\.0 │", shown)
    assert "micro-batch 2 x 215 tokens" in shown and "no time" not in shown and "L40S" not in shown


def test_without_a_dataset_there_is_memory_but_no_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_model(tmp_path / "base")
    settings = config(model=str(base), chat_template="tiny", dataset=str(tmp_path / "nowhere"))
    show_estimate(settings, ALL_GPUS)
    shown = capsys.readouterr().out
    assert "no time: there is no dataset at" in shown and "hours" not in shown
    assert all(gpu.name in shown for gpu in GPUS) and "micro-batch 4 x 2,048 tokens" in shown


def test_a_large_dataset_is_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sft.estimate import workload

    settings = small_config(tmp_path)
    whole = workload.read_workload(settings)
    monkeypatch.setattr(workload, "SAMPLE", 20)
    part = workload.read_workload(settings)
    assert whole is not None and part is not None
    assert (whole.longest, part.longest, part.schedule) == (215, None, whole.schedule)
    assert part.training_tokens == pytest.approx(whole.training_tokens, rel=0.1)
    show_estimate(settings, "H100")
    assert "from a sample of the rows" in capsys.readouterr().out
