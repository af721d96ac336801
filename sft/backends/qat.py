"""Quantisation-aware training: forward passes see weights as rounded as serving's will be, through torchao.

For training of all weights. An adapter on a base whose weights are rounded has none to round itself: served
beside the base it stays in 16 bits, and merged into it, it would be rounded together with weights that the
training has not seen.
"""

from typing import Any

from common.console import choice
from common.errors import UserError
from sft.config import QatOptions


def round_in_training(model: Any, options: QatOptions) -> None:
    """Let every linear layer of `model` outside its head compute with fake-quantised weights, in place.

    Rounding is symmetric, to 4 bits in groups of `group_size` inputs or to 8 bits for each output; gradients
    pass it as if it were not there (straight-through, Bengio et al. 2013). The weights themselves stay whole
    and keep their names, so checkpoints and the saved model are ordinary ones; validation losses are those of
    the rounded weights.

    Raises:
        UserError: torchao is not installed, or a layer's inputs do not divide into groups.
    """
    quantize, prepare = _torchao(options)
    import torch
    from transformers.trainer_pt_utils import get_model_param_count  # sees DeepSpeed's shards whole

    head = model.get_output_embeddings()
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    if options.weights == "int4":
        _check_groups(layers, options.group_size)
    # torchao asks for each module, by itself and by its name, whether it is one of them.
    quantize(model, prepare, filter_fn=lambda module, name: name in layers)
    rounded = sum(get_model_param_count(layer) for layer in layers.values())
    total = get_model_param_count(model)
    how = f"int4 in groups of {options.group_size}" if options.weights == "int4" else "int8 by output"
    choice("qat", how, f"{len(layers)} linear layers, {rounded / total:.0%} of all weights")


def _torchao(options: QatOptions) -> tuple[Any, Any]:
    """torchao's function that changes a model, and its config of the change."""
    try:
        import torch
        from torchao.quantization import quantize_
        from torchao.quantization.qat import IntxFakeQuantizeConfig, QATConfig
    except ImportError as error:
        raise UserError(
            "qat needs torchao, which is not installed", "pip install torchao==0.18.0, or leave qat out"
        ) from error
    if options.weights == "int4":
        weights = IntxFakeQuantizeConfig(torch.int4, group_size=options.group_size, is_symmetric=True)
    else:
        weights = IntxFakeQuantizeConfig(torch.int8, "per_channel", is_symmetric=True)
    return quantize_, QATConfig(weight_config=weights, step="prepare")


def _check_groups(layers: dict[str, Any], group_size: int) -> None:
    for name, layer in layers.items():
        if layer.in_features % group_size:
            raise UserError(
                f"{name} has {layer.in_features} inputs, which do not divide into groups of {group_size}",
                "set qat.group_size to a divisor, or qat.weights: int8",
            )
