#!/usr/bin/env python3
"""Writes tests/base/fixtures/python.safetensors with the `safetensors` package.

The tests read it back and compare every value, so that our reader is checked against another
implementation of the format. Needs the environment of `scripts/setup.sh --python`.
"""

import pathlib

import torch
from safetensors.torch import save_file

TARGET = pathlib.Path(__file__).resolve().parent.parent / "tests/base/fixtures/python.safetensors"


def main() -> None:
    tensors = {
        "f64": torch.tensor([0.1, -2.0], dtype=torch.float64),
        "f32": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
        "f16": torch.tensor([1.0, -0.5], dtype=torch.float16),
        "bf16": torch.tensor([1.0, -0.5], dtype=torch.bfloat16),
        "i64": torch.tensor([-(2**40), 7], dtype=torch.int64),
        "i32": torch.tensor([[-3], [2**30]], dtype=torch.int32),
        "u8": torch.tensor([0, 127, 255], dtype=torch.uint8),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, TARGET, metadata={"format": "pt", "été": "naïve"})
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
