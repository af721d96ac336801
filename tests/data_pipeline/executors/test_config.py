"""What the executors can be told."""

from pathlib import Path

import pytest

from common.config import Config, load
from common.errors import ConfigError
from data_pipeline.executors.config import ExecutorConfig, LocalConfig, RayConfig, SlurmConfig


class _Config(Config):
    executor: ExecutorConfig = LocalConfig()


def read(folder: Path, text: str) -> ExecutorConfig:
    path = folder / "c.yaml"
    path.write_text(f"executor: {text}")
    return load(_Config, path).executor


def test_the_default_is_one_process_of_this_machine() -> None:
    assert _Config().executor == LocalConfig(type="local", workers=None)


@pytest.mark.parametrize(
    ("text", "executor"),
    [
        ("{workers: 4}", LocalConfig(workers=4)),
        ("{type: local, workers: 4}", LocalConfig(workers=4)),
        (
            "{type: ray}",
            RayConfig(type="ray", address=None, workers=None, cpus_per_task=1, mem_per_cpu_gb=None),
        ),
        (
            "{type: ray, address: auto, mem_per_cpu_gb: 1.5}",
            RayConfig(type="ray", address="auto", mem_per_cpu_gb=1.5),
        ),
        (
            "{type: slurm, partition: cpu, time: '2:00:00'}",
            SlurmConfig(type="slurm", partition="cpu", time="2:00:00", cpus_per_task=1, mem_per_cpu_gb=2),
        ),
        (
            "{type: slurm, partition: cpu, time: 1-12}",
            SlurmConfig(type="slurm", partition="cpu", time="1-12"),
        ),
    ],
)
def test_the_type_decides_what_else_there_is(tmp_path: Path, text: str, executor: ExecutorConfig) -> None:
    assert read(tmp_path, text) == executor


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{type: slrum}", "'type' should be 'local', 'ray', 'slurm'. Did you mean 'slurm'?"),
        ("{type: slurm, time: '1:00:00'}", "partition: required, but not given"),
        ("{type: local, partition: cpu}", "executor.partition: unknown key."),
        (
            "{type: slurm, partition: cpu, time: 2:00:00}",
            "in quotes: YAML reads 2:00:00 as a number, here 7200",
        ),
        ("{type: slurm, partition: cpu, time: 2h}", "executor.time"),
        ("{type: ray, workers: 0}", "executor.workers"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert told in str(error.value)
