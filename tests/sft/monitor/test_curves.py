from pathlib import Path

from sft.monitor.curves import write_csv, write_png

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
