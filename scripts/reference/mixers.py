#!/usr/bin/env python3
"""Independent references of the models that differ from the diffusion classifier in what mixes the tokens
(transformer, linformer, performer, mamba), for tests and for readers.

Each text is computed by itself and never padded; attention is written out, the state space is a plain
loop over the tokens. It shares no code and no layout with the C++ models, which pack and pad their texts
and compute the state space in pieces.

    scripts/reference/mixers.py --dump-fixtures tests/model/fixtures/mixers

writes one safetensors file a case: inputs, parameters, logits, loss and every gradient, with the config as
JSON in the metadata. Needs torch and safetensors (scripts/setup.sh --python).
"""

import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

DIM, VOCAB_SIZE, CLASSES = 6, 20, 3
LENGTHS = [4, 1, 7, 2, 11, 5]
EMBEDDING_INIT_STD = 0.02


def sines(count, dim):
    """[count, dim]: sin(p / 10000^(2i / dim)) in the first half of the channels, cosines in the second."""
    rows = []
    for p in range(count):
        angles = [p / 10000 ** (2 * i / dim) for i in range((dim + 1) // 2)]
        rows.append([math.sin(a) for a in angles] + [math.cos(a) for a in angles][: dim // 2])
    return torch.tensor(rows, dtype=torch.float64)


def orthogonal_rows(rows, dim, seed):
    """The projections of a Performer's block: rows of a random rotation, as long as rows of N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    blocks = []
    for made in range(0, rows, dim):
        square = torch.empty(dim, dim).normal_(generator=generator)
        directions = torch.linalg.qr(square).Q.T
        lengths = torch.empty(dim, dim).normal_(generator=generator).norm(dim=1, keepdim=True)
        blocks.append((directions * lengths)[: rows - made])
    return torch.cat(blocks).double()


class ReferenceEncoder:
    """The model of `kind` with `mixer` (a config's section) and `parameters` by name, at evaluation."""

    def __init__(self, kind, mixer, steps, pooling, parameters):
        self.kind, self.mixer, self.steps, self.pooling = kind, mixer, steps, pooling
        self.p = parameters

    def affine(self, name, x):
        return x @ self.p[name + ".weight"].T + self.p[name + ".bias"]

    def layer_norm(self, name, x):
        centred = x - x.mean(-1, keepdim=True)
        scale = torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
        return centred / scale * self.p[name + ".weight"] + self.p[name + ".bias"]

    def rms_norm(self, name, x):
        return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-5) * self.p[name + ".weight"]

    def features(self, x, index):
        x = x * x.shape[-1] ** -0.25
        rows = orthogonal_rows(self.mixer["features"], x.shape[-1], index + 1)
        products = x @ rows.T
        if self.mixer["feature_map"] == "relu":
            return torch.relu(products) + 1e-3, None
        return products, (x**2).sum(-1, keepdim=True) / 2

    def see(self, q, k, v, index):
        """One head: what each query sees, [L, d]."""
        width = q.shape[-1]
        if self.kind == "performer":
            q, q_norm = self.features(q, index)
            k, k_norm = self.features(k, index)
            if q_norm is not None:
                count = math.sqrt(q.shape[-1])
                q = (torch.exp(q - q_norm - q.max(-1, keepdim=True).values.detach()) + 1e-4) / count
                k = (torch.exp(k - k_norm - k.max().detach()) + 1e-4) / count
            weights = q @ k.T
            return (weights / weights.sum(-1, keepdim=True)) @ v
        weights = torch.softmax(q @ k.T / math.sqrt(width), -1)
        return weights @ v

    def attention_block(self, name, x, index):
        heads = self.mixer["heads"]
        qkv = self.affine(name + ".attention.qkv", self.layer_norm(name + ".attention.norm", x))
        q, k, v = qkv.chunk(3, -1)
        seen = []
        for h, (a, b, c) in enumerate(zip(q.chunk(heads, -1), k.chunk(heads, -1), v.chunk(heads, -1))):
            if self.kind == "linformer":
                columns = self.p[name + ".attention.projection"][h, :, : len(x)]
                b, c = columns @ b, columns @ c
            seen.append(self.see(a, b, c, index))
        x = x + self.affine(name + ".attention.out", torch.cat(seen, -1))
        hidden = F.gelu(self.affine(name + ".hidden.in", self.layer_norm(name + ".hidden.norm", x)))
        return x + self.affine(name + ".hidden.out", hidden)

    def read(self, name, x):
        """Mamba-2 in one direction, a token at a time."""
        mixer = self.mixer
        inner, state = mixer["expand"] * x.shape[-1], mixer["state_dim"]
        heads = inner // mixer["head_dim"]
        z, xbc, step = (x @ self.p[name + ".in.weight"].T).split([inner, inner + 2 * state, heads], -1)
        kernel = self.p[name + ".conv.weight"][:, 0]
        before = torch.zeros(kernel.shape[1] - 1, xbc.shape[1], dtype=x.dtype)
        rows = torch.cat([before, xbc])
        decay = -torch.exp(self.p[name + ".log_decay"])
        states = torch.zeros(heads, mixer["head_dim"], state, dtype=x.dtype)
        outputs = []
        for t in range(len(x)):
            window = rows[t : t + kernel.shape[1]].T
            seen = F.silu((window * kernel).sum(1) + self.p[name + ".conv.bias"])
            value, b, c = seen.split([inner, state, state])
            value = value.view(heads, mixer["head_dim"])
            size = torch.log1p(torch.exp(step[t] + self.p[name + ".step_bias"]))
            added = (size[:, None] * value)[:, :, None] * b
            states = torch.exp(size * decay)[:, None, None] * states + added
            y = (states * c).sum(-1) + self.p[name + ".skip"][:, None] * value
            outputs.append(y.flatten())
        gated = torch.stack(outputs) * F.silu(z)
        return self.rms_norm(name + ".norm", gated) @ self.p[name + ".out.weight"].T

    def mamba_block(self, name, x):
        normal = self.rms_norm(name + ".norm", x)
        read = self.read(name + ".forwards", normal)
        if self.mixer["both_directions"]:
            read = read + self.read(name + ".backwards", normal.flip(0)).flip(0)
        return x + read

    def pool(self, x):
        mean, largest = x.mean(0), x.amax(0)
        return {"mean": mean, "max": largest, "mean_max": torch.cat([mean, largest])}[self.pooling]

    def logits(self, texts):
        pooled = []
        for text in texts:
            x = self.p["embedding.weight"][torch.tensor(text)]
            if self.kind != "mamba" and self.mixer["positions"]:
                x = x + EMBEDDING_INIT_STD * math.sqrt(2) * sines(len(text), x.shape[1])
            for i in range(self.steps):
                if self.kind == "mamba":
                    x = self.mamba_block(f"blocks.{i}", x)
                else:
                    x = self.attention_block(f"blocks.{i}", x, i)
            pooled.append(self.pool(self.layer_norm("norm", x)))
        return self.affine("head.out", F.gelu(self.affine("head.in", torch.stack(pooled))))


def random_parameters(kind, mixer, steps, pooling, generator):
    """Parameters of a size that lets every term matter."""
    parameters = {}

    def normal(name, *shape, std=1.0, mean=0.0):
        parameters[name] = torch.randn(*shape, generator=generator, dtype=torch.float64) * std + mean

    def linear(name, inputs, outputs, bias=True):
        normal(name + ".weight", outputs, inputs, std=inputs**-0.5)
        if bias:
            normal(name + ".bias", outputs, std=0.3)

    def norm(name, size, bias=True):
        normal(name + ".weight", size, std=0.3, mean=1.0)
        if bias:
            normal(name + ".bias", size, std=0.3)

    normal("embedding.weight", VOCAB_SIZE, DIM)
    for i in range(steps):
        block = f"blocks.{i}"
        if kind == "mamba":
            norm(block + ".norm", DIM, bias=False)
            inner, state = mixer["expand"] * DIM, mixer["state_dim"]
            heads = inner // mixer["head_dim"]
            for name in ["forwards", "backwards"][: 2 if mixer["both_directions"] else 1]:
                reader = f"{block}.{name}"
                linear(reader + ".in", DIM, 2 * inner + 2 * state + heads, bias=False)
                normal(reader + ".conv.weight", inner + 2 * state, 1, mixer["conv_width"], std=0.6)
                normal(reader + ".conv.bias", inner + 2 * state, std=0.3)
                for name in ["step_bias", "log_decay", "skip"]:
                    normal(f"{reader}.{name}", heads, std=0.7)
                norm(reader + ".norm", inner, bias=False)
                linear(reader + ".out", inner, DIM, bias=False)
            continue
        hidden = mixer["hidden_dim"] or 4 * DIM
        norm(block + ".attention.norm", DIM)
        linear(block + ".attention.qkv", DIM, 3 * DIM)
        linear(block + ".attention.out", DIM, DIM)
        if kind == "linformer":
            normal(block + ".attention.projection", mixer["heads"], mixer["projected"],
                   mixer["max_positions"], std=0.5)
        norm(block + ".hidden.norm", DIM)
        linear(block + ".hidden.in", DIM, hidden)
        linear(block + ".hidden.out", hidden, DIM)
    norm("norm", DIM)
    linear("head.in", 2 * DIM if pooling == "mean_max" else DIM, DIM)
    linear("head.out", DIM, CLASSES)
    return parameters


DEFAULTS = {"heads": 2, "hidden_dim": 0, "positions": True, "max_positions": 13, "projected": 4,
            "feature_map": "relu", "features": 8, "state_dim": 5, "head_dim": 4, "expand": 2,
            "conv_width": 4, "chunk": 4, "both_directions": True}
CASES = {
    "transformer": ("transformer", {}),
    "transformer_plain": ("transformer", {"positions": False, "heads": 3, "hidden_dim": 5}),
    "linformer": ("linformer", {}),
    "performer_relu": ("performer", {}),
    "performer_softmax": ("performer", {"feature_map": "softmax", "features": 5}),
    "mamba": ("mamba", {}),
    "mamba_one_way": ("mamba", {"both_directions": False, "chunk": 3, "conv_width": 2, "head_dim": 12}),
    "mamba_one_piece": ("mamba", {"chunk": 64, "expand": 1, "head_dim": 3, "state_dim": 1}),
}


def dump_case(folder, number, name, kind, options):
    mixer, steps = {**DEFAULTS, **options}, 2
    pooling = ["mean_max", "mean", "max"][number % 3]
    generator = torch.Generator().manual_seed(2000 + number)
    texts = [torch.randint(VOCAB_SIZE, (n,), generator=generator).tolist() for n in LENGTHS]
    labels = torch.randint(CLASSES, (len(LENGTHS),), generator=generator)
    # The values that float32 files hold, computed with in float64.
    parameters = {
        key: value.float().double().requires_grad_()
        for key, value in random_parameters(kind, mixer, steps, pooling, generator).items()
    }
    logits = ReferenceEncoder(kind, mixer, steps, pooling, parameters).logits(texts)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    offsets = [0]
    for n in LENGTHS:
        offsets.append(offsets[-1] + n)
    tensors = {
        "input.tokens": torch.tensor(sum(texts, []), dtype=torch.int32),
        "input.offsets": torch.tensor(offsets, dtype=torch.int32),
        "input.labels": labels,
        "output.logits": logits.detach().float(),
        "output.loss": loss.detach().float().reshape(1),
    }
    for key, value in parameters.items():
        tensors["parameter." + key] = value.detach().float().contiguous()
        tensors["gradient." + key] = value.grad.float().contiguous()
    model = {"type": kind, "dim": DIM, "steps": steps, "pooling": pooling,
             "embedding_init_std": EMBEDDING_INIT_STD}
    case = {"config": {"model": model, "mixer": mixer, "tokenizer": {"max_tokens": 13}},
            "vocab_size": VOCAB_SIZE, "classes": CLASSES}
    path = folder / f"{name}.safetensors"
    save_file(tensors, path, {"case": json.dumps(case)})
    path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump-fixtures", type=pathlib.Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().dump_fixtures
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, (kind, options)) in enumerate(CASES.items()):
        dump_case(folder, number, name, kind, options)
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    print(f"{len(CASES)} cases, {total / 1000:.0f} kB in {folder}")


if __name__ == "__main__":
    main()
