from pathlib import Path

from sft.monitor.curves import write_csv, write_health_csv, write_png

HISTORY = [
    {"step": 0, "epoch": 0, "eval_loss": 4.0, "eval_runtime": 1.0},
    {"step": 10, "epoch": 0.5, "loss": 3.0, "learning_rate": 2e-4, "grad_norm": 1.5},
    {"step": 10, "epoch": 0.5, "eval_loss": 2.5},
    {"step": 10, "train_runtime": 5.0},
]


def test_csv_has_a_line_for_each_record(tmp_path: Path) -> None:
    write_csv(HISTORY, tmp_path / "loss.csv")
    assert (tmp_path / "loss.csv").read_text().splitlines() == [
        "step,epoch,loss,eval_loss,learning_rate,grad_norm",
        "0,0,,4.0,,",
        "10,0.5,3.0,,0.0002,1.5",
        "10,0.5,,2.5,,",
    ]


def test_png_is_the_same_for_the_same_history(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_png(HISTORY, tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and data == (tmp_path / "b.png").read_bytes()


def test_norms_are_columns_of_the_curve_and_what_differs_between_equal_runs_is_not(tmp_path: Path) -> None:
    health = {
        "weight_norm/all": 5.0,
        "weight_norm/blocks_0": 4.0,
        "update_norm/all": 0.5,
        "update_ratio": 0.1,
    }
    volatile = {"tok_per_s": 5102.5, "supervised_tok_per_s": 3000.0, "loader_ms": 1.5, "memory_gib": 0.75}
    history = [record | (health | volatile if "loss" in record else {}) for record in HISTORY]
    write_csv(history, tmp_path / "loss.csv")
    lines = (tmp_path / "loss.csv").read_text().splitlines()
    assert lines[0].endswith("grad_norm,weight_norm/all,weight_norm/blocks_0,update_norm/all,update_ratio")
    assert lines[2] == "10,0.5,3.0,,0.0002,1.5,5.0,4.0,0.5,0.1"
    write_health_csv(history, tmp_path / "health.csv")
    assert (tmp_path / "health.csv").read_text().splitlines() == [
        "step,tok_per_s,supervised_tok_per_s,loader_ms,memory_gib",
        "10,5102.5,3000.0,1.5,0.75",
    ]
