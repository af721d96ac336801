"""Export an encoder for ONNX Runtime, in float32 and in int8.

    python -m common.encoder configs/encoder.yaml

Writes `model.onnx`, `model.int8.onnx` and `tokenizer.json`, which `common.encoder.runtime.OnnxEncoder` reads
without PyTorch.
"""

from pathlib import Path

from common import artifacts, console
from common.command import Options, run
from common.encoder.config import ExportConfig
from common.encoder.embedded import source


def export(config: ExportConfig, options: Options) -> None:
    """Write the artifact of `config`, unless it is there already."""
    found = source(config.model)
    inputs = {"model": Path(found)} if Path(found).is_dir() else {}
    recipe = artifacts.Recipe.of("encoder", config, inputs=inputs, code=("common/encoder",))
    if options.dry_run:
        console.say(f"would export {found} to {config.output}")
        return
    if not options.force and artifacts.is_up_to_date(config.output, recipe):
        console.say(f"{config.output} is up to date")
        return
    from common.encoder.export import export_encoder
    from common.encoder.model import Encoder

    console.quiet_libraries()
    with artifacts.writing(config.output, recipe) as folder:
        encoder = Encoder(config.model, device="cpu")
        recipe.counts.update(export_encoder(encoder, folder), dim=encoder.dim, max_length=encoder.max_length)
    console.run_log("ENCODER", output=config.output, **recipe.counts)


if __name__ == "__main__":
    run(export, ExportConfig, __doc__)
