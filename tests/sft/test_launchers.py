"""configs/accelerate/: what Accelerate reads from them, and what it makes of it."""

from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env

FOLDER = Path(__file__).resolve().parent.parent.parent / "configs" / "accelerate"


def launcher(name: str) -> ClusterConfig:
    return load_config_from_file(str(FOLDER / f"{name}.yaml"))


def environment(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the launcher puts into the environment of the training processes."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    arguments = launch_command_parser().parse_args(["--config_file", str(FOLDER / f"{name}.yaml"), "x.py"])
    arguments, *_ = _validate_launch_command(arguments)
    made: dict[str, Any] = prepare_multi_gpu_env(arguments)
    return made


@pytest.mark.parametrize(
    ("name", "kind", "precision"),
    [
        ("ddp", "MULTI_GPU", "no"),
        ("fsdp_qlora", "FSDP", "no"),
        ("deepspeed_zero3", "DEEPSPEED", "bf16"),
    ],
)
def test_each_launches_two_processes_on_one_machine(name: str, kind: str, precision: str) -> None:
    config = launcher(name)
    seen = (config.distributed_type.value, config.mixed_precision, config.use_cpu)
    assert seen == (kind, precision, False)
    assert (config.num_processes, config.num_machines, config.machine_rank) == (2, 1, 0)


def test_every_launcher_is_tested_here() -> None:
    names = {path.stem for path in FOLDER.glob("*.yaml")}
    assert names == {"ddp", "fsdp_qlora", "deepspeed_zero3"}


def test_fsdp_shards_block_by_block_and_gathers_the_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = environment("fsdp_qlora", monkeypatch)
    expected = {
        "ACCELERATE_USE_FSDP": "true",  # what sft.ranks.is_sharded looks for
        "FSDP_VERSION": "1",
        "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
        "FSDP_USE_ORIG_PARAMS": "false",
        "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
        "FSDP_SYNC_MODULE_STATES": "true",
        "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
        "FSDP_OFFLOAD_PARAMS": "false",
        "FSDP_ACTIVATION_CHECKPOINTING": "false",
    }
    assert {name: made[name] for name in expected} == expected
    assert made["FSDP_SHARDING_STRATEGY"] in ("1", "FULL_SHARD")


def test_accelerate_makes_a_plugin_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate.utils import FullyShardedDataParallelPlugin
    from torch.distributed.fsdp import ShardingStrategy, StateDictType

    for name, value in environment("fsdp_qlora", monkeypatch).items():
        if name.startswith("FSDP_"):
            monkeypatch.setenv(name, value)
    for name in ("SYNC_MODULE_STATES", "CPU_RAM_EFFICIENT_LOADING"):  # those ask for a GPU at once
        monkeypatch.setenv(f"FSDP_{name}", "false")
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.sharding_strategy is ShardingStrategy.FULL_SHARD
    assert plugin.state_dict_type is StateDictType.FULL_STATE_DICT
    assert plugin.use_orig_params is False


def test_zero3_shards_all_and_gathers_the_adapter() -> None:
    config = launcher("deepspeed_zero3").deepspeed_config
    assert config["zero_stage"] == 3 and config["zero3_init_flag"] and config["zero3_save_16bit_model"]
    assert {config["gradient_accumulation_steps"], config["gradient_clipping"]} == {"auto"}
