#!/usr/bin/env python3
"""Writes tests/train/adamw_reference.json: five steps of PyTorch's own AdamW, in float64, with
gradient clipping by the global norm, for the optimizer's tests.

Usage: make_adamw_fixture.py [OUTPUT]   (needs torch)
"""

import json
import pathlib
import sys

import torch

BETAS = (0.9, 0.98)
EPSILON = 1e-8
WEIGHT_DECAY = 0.1
CLIP_NORM = 1.0
LEARNING_RATES = [0.01, 0.02, 0.03, 0.02, 0.01]


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent.parent
    output = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "tests/train/adamw_reference.json"
    generator = torch.Generator().manual_seed(7)

    def numbers(*shape: int) -> torch.Tensor:
        # Rounded to float32, so that both sides start from the same numbers.
        return torch.randn(*shape, generator=generator).double()

    matrix = numbers(2, 3).requires_grad_()
    vector = numbers(3).requires_grad_()
    optimizer = torch.optim.AdamW(
        [
            {"params": [matrix], "weight_decay": WEIGHT_DECAY},
            {"params": [vector], "weight_decay": 0.0},
        ],
        betas=BETAS,
        eps=EPSILON,
    )
    fixture = {
        "beta1": BETAS[0],
        "beta2": BETAS[1],
        "epsilon": EPSILON,
        "weight_decay": WEIGHT_DECAY,
        "clip_norm": CLIP_NORM,
        "matrix": matrix.flatten().tolist(),
        "vector": vector.flatten().tolist(),
        "steps": [],
    }
    for step, learning_rate in enumerate(LEARNING_RATES):
        # The first two are small: clipping must leave them alone.
        scale = 0.1 if step < 2 else 1.0
        matrix.grad = scale * numbers(2, 3)
        vector.grad = scale * numbers(3)
        entry = {
            "learning_rate": learning_rate,
            "matrix_gradient": matrix.grad.flatten().tolist(),
            "vector_gradient": vector.grad.flatten().tolist(),
        }
        entry["norm"] = float(torch.nn.utils.clip_grad_norm_([matrix, vector], CLIP_NORM))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        entry["matrix"] = matrix.detach().flatten().tolist()
        entry["vector"] = vector.detach().flatten().tolist()
        fixture["steps"].append(entry)
    output.write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main()
