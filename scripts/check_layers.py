#!/usr/bin/env python3
"""Checks that includes go one way: a layer includes only itself and layers below it, and layers
without tensors include no LibTorch. Prints each breach as file:line and exits with 1 if there is one."""

import pathlib
import re
import sys

# Lowest first. `cuda` is the module behind the device layer's table, with kernels for ops, `launcher` stands alone.
LAYERS = ["base", "tasks", "config", "text", "data", "ngrams", "tune", "device", "ops", "model", "explain", "eval",
          "report", "train", "bench", "cli"]
ALSO_ALLOWED = {"cuda": {"base", "device", "ops"}, "launcher": set()}
WITHOUT_TORCH = {"base", "tasks", "config", "text", "data", "ngrams", "tune", "report", "launcher"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TORCH = re.compile(r"^(ATen|c10|torch|caffe2)/")


def allowed(layer):
    if layer in ALSO_ALLOWED:
        return ALSO_ALLOWED[layer] | {layer}
    return set(LAYERS[: LAYERS.index(layer) + 1])


def layer_of_include(path):
    parts = path.split("/")
    if parts[0] == "diffuse":
        parts = parts[1:]
    known = parts[0] in LAYERS or parts[0] in ALSO_ALLOWED
    return parts[0] if len(parts) > 1 and known else None


def breaches(file, layer):
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, path = match.groups()
        if layer in WITHOUT_TORCH and TORCH.match(path):
            yield number, f"{layer} is without tensors and includes <{path}>"
        other = layer_of_include(path) if quote == '"' else None
        if other and other not in allowed(layer):
            yield number, f"{layer} includes {path}, which is of a higher layer"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    count = 0
    files = 0
    for folder in (root / "src", root / "include" / "diffuse"):
        for file in sorted(folder.rglob("*")):
            if file.suffix not in {".cpp", ".hpp", ".cu", ".cuh"}:
                continue
            files += 1
            layer = file.relative_to(folder).parts[0]
            if layer not in LAYERS and layer not in ALSO_ALLOWED:
                print(f"{file.relative_to(root)}: {layer} is no layer; see LAYERS in check_layers.py")
                count += 1
                continue
            for number, text in breaches(file, layer):
                print(f"{file.relative_to(root)}:{number}: {text}")
                count += 1
    if files == 0:
        print(f"{root}: no sources found")
        return 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
