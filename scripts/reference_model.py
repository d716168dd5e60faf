#!/usr/bin/env python3
"""An independent reference of the diffusion classifier, for tests and for readers.

It follows the equations in the padded, masked form: a batch is `[B, L]` with a mask, and the
neighbour sum is a plain loop over sequences, positions and neighbours. It shares no code and no
layout with the C++ model, which packs its sequences.

    scripts/reference_model.py --dump-fixtures tests/model/fixtures

writes one safetensors file a case: inputs, parameters, logits, loss and every gradient, with the
config as JSON in the metadata. Needs torch and safetensors (scripts/setup.sh --python).
"""

import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
}

# The keys of a config's "model" part that decide what the model computes at evaluation.
DEFAULTS = {
    "dim": 6,
    "steps": 2,
    "alpha": 0.5,
    "alpha_learned": False,
    "radius": 1,
    "dilation": [1],
    "self_neighbour": True,
    "causal": False,
    "weight": "channel",
    "weight_init": 0.0,
    "weight_learned": True,
    "function": "linear",
    "activation": "gelu",
    "hidden_dim": 0,
    "share_weights": False,
    "norm": "pre",
    "base": "state",
    "pooling": "mean",
    "head_hidden_dim": -1,
}


def bigram_row(previous, token, buckets):
    """The row of a pair of tokens in a table of `buckets` rows; `previous` is None where a text
    begins."""
    pair = (0 if previous is None else previous + 1) * 1540483477 + token * 461845907
    mixed = (pair ^ (pair >> 31)) % 2**31 * 625341585
    return (mixed >> 15) % 2**31 * buckets >> 31


def adversarial_loss(model, sequences, labels, size):
    """The loss with each text's embeddings moved by `size` times their norm in the direction in which
    it rises fastest (Miyato, Dai, Goodfellow, ICLR 2017)."""
    h0, mask = model.embed(sequences)
    (gradient,) = torch.autograd.grad(F.cross_entropy(model.logits_of(h0, mask), labels), h0)
    steps = []
    for b, sequence in enumerate(sequences):
        length = h0[b, : len(sequence)].detach().norm()
        steps.append(size * length * gradient[b] / gradient[b].norm())
    return F.cross_entropy(model.logits_of(h0 + torch.stack(steps), mask), labels)


class ReferenceModel:
    """The model of `config` (a config's "model" part) with `parameters`, tensors by their name in
    `model.safetensors`. Everything as at evaluation: no noise, no dropout."""

    def __init__(self, config, parameters):
        self.config = config
        self.parameters = parameters

    def embed(self, sequences):
        """The sums of embeddings, `[B, L, D]`, padded with token 0, and the mask `[B, L]`."""
        longest = max(len(s) for s in sequences)
        mask = torch.tensor([[i < len(s) for i in range(longest)] for s in sequences])
        rows = self.parameters.get("embedding.weight")
        if rows is None:  # numbers: a slope, an offset, and the masked number's own row
            slope, offset, masked = self.parameters["embedding.values"]
            rows = torch.stack([(v - 127.5) / 127.5 * slope + offset for v in range(256)] + [masked])
        h = rows[torch.tensor([s + [0] * (longest - len(s)) for s in sequences])]
        if "embedding.bigrams" in self.parameters:
            table = self.parameters["embedding.bigrams"]
            pairs = [[bigram_row(s[i - 1] if i > 0 else None, s[i], len(table)) if i < len(s) else 0
                      for i in range(longest)] for s in sequences]
            h = h + table[torch.tensor(pairs)] * mask.unsqueeze(-1)
        return h, mask

    def affine(self, name, x):
        return x @ self.parameters[name + ".weight"].T + self.parameters[name + ".bias"]

    def layer_norm(self, name, x):
        mean = x.mean(-1, keepdim=True)
        variance = ((x - mean) ** 2).mean(-1, keepdim=True)
        normal = (x - mean) / torch.sqrt(variance + 1e-5)
        return normal * self.parameters[name + ".weight"] + self.parameters[name + ".bias"]

    def f(self, name, x):
        act = ACTIVATIONS[self.config["activation"]]
        x = self.affine(name + ".in", x)
        if self.config["function"] == "linear":
            return act(x)
        if self.config["function"] == "mlp":
            return self.affine(name + ".out", act(x))
        hidden = x.shape[-1] // 2
        return self.affine(name + ".out", x[..., :hidden] * act(x[..., hidden:]))

    def neighbourhood(self, step):
        dilation = self.config["dilation"]
        d = dilation[step % len(dilation)]
        r = self.config["radius"]
        last = 0 if self.config["causal"] else r
        return [k * d for k in range(-r, last + 1) if k != 0 or self.config["self_neighbour"]]

    def weight(self, name, count):
        """W by neighbour: a number, a vector or a matrix each."""
        if self.config["weight_learned"]:
            return self.parameters[name + ".weight"]
        value = self.config["weight_init"] or 1.0 / count
        if self.config["weight"] == "full":
            like = next(iter(self.parameters.values()))
            return [value * torch.eye(self.config["dim"], dtype=like.dtype)] * count
        return [value] * count

    def step(self, t, h, h0, mask):
        config = self.config
        name = f"steps.{t % len(config['dilation']) if config['share_weights'] else t}"
        normal = self.layer_norm(name + ".norm", h) if config["norm"] == "pre" else h
        u = self.f(name + ".function", normal)
        neighbours = self.neighbourhood(t)
        weight = self.weight(name, len(neighbours))
        alpha = config["alpha"]
        if config["alpha_learned"]:
            alpha = torch.sigmoid(self.parameters[name + ".alpha_logit"])
        base = h if config["base"] == "state" else h0

        length = h.shape[1]
        sequences = []
        for b in range(h.shape[0]):
            rows = []
            for i in range(length):
                total = torch.zeros_like(h[b, i])
                for w, k in zip(weight, neighbours):
                    if 0 <= i + k < length and mask[b, i + k]:
                        u_j = u[b, i + k]
                        total = total + (w @ u_j if config["weight"] == "full" else w * u_j)
                rows.append(alpha * base[b, i] + (1 - alpha) * total)
            sequences.append(torch.stack(rows))
        h = torch.stack(sequences)
        return self.layer_norm(name + ".norm", h) if config["norm"] == "post" else h

    def pool(self, h, mask):
        keep = mask.unsqueeze(-1)
        mean = (h * keep).sum(1) / keep.sum(1)
        largest = h.masked_fill(~keep, -math.inf).amax(1)
        return {"mean": mean, "max": largest, "mean_max": torch.cat([mean, largest], 1)}[
            self.config["pooling"]
        ]

    def head(self, z):
        if self.config["head_hidden_dim"] != 0:
            z = F.gelu(self.affine("head.in", z))
        return self.affine("head.out", z)

    def logits(self, sequences):
        """Logits `[B, C]` of a list of lists of token ids."""
        return self.logits_of(*self.embed(sequences))

    def logits_of(self, h0, mask):
        """The same from the sums of embeddings."""
        h = h0
        for t in range(self.config["steps"]):
            h = self.step(t, h, h0, mask)
        return self.head(self.pool(h, mask))


def random_parameters(config, vocab_size, classes, generator):
    """Parameters of a size that lets every term matter."""

    def normal(*shape, std=1.0, mean=0.0):
        return torch.randn(*shape, generator=generator, dtype=torch.float64) * std + mean

    def linear(name, inputs, outputs):
        parameters[name + ".weight"] = normal(outputs, inputs, std=inputs**-0.5)
        parameters[name + ".bias"] = normal(outputs, std=0.3)

    dim = config["dim"]
    if config.get("values"):
        parameters = {"embedding.values": normal(3, dim)}
    else:
        parameters = {"embedding.weight": normal(vocab_size, dim)}
    if config.get("bigram_buckets", 0) > 0:
        parameters["embedding.bigrams"] = normal(config["bigram_buckets"], dim)
    count = (1 if config["causal"] else 2) * config["radius"] + int(config["self_neighbour"])
    hidden = config["hidden_dim"] or 2 * dim
    sets = len(config["dilation"]) if config["share_weights"] else config["steps"]
    for t in range(min(config["steps"], sets)):
        name = f"steps.{t}"
        if config["weight_learned"]:
            shape = {"scalar": (count,), "channel": (count, dim), "full": (count, dim, dim)}
            std = dim**-0.5 if config["weight"] == "full" else 0.7
            parameters[name + ".weight"] = normal(*shape[config["weight"]], std=std)
        if config["alpha_learned"]:
            parameters[name + ".alpha_logit"] = normal(dim)
        if config["norm"] != "none":
            parameters[name + ".norm.weight"] = normal(dim, std=0.3, mean=1.0)
            parameters[name + ".norm.bias"] = normal(dim, std=0.3)
        if config["function"] == "linear":
            linear(name + ".function.in", dim, dim)
        else:
            linear(name + ".function.in", dim, hidden * (2 if config["function"] == "glu" else 1))
            linear(name + ".function.out", hidden, dim)
    pooled = 2 * dim if config["pooling"] == "mean_max" else dim
    if config["head_hidden_dim"] != 0:
        width = dim if config["head_hidden_dim"] < 0 else config["head_hidden_dim"]
        linear("head.in", pooled, width)
        pooled = width
    linear("head.out", pooled, classes)
    return parameters


CASES = {
    "default": {"pooling": "mean_max"},
    "bag_of_words": {"steps": 0, "head_hidden_dim": 0},
    "scalar_linear": {"weight": "scalar", "activation": "identity", "norm": "none"},
    "scalar_mlp_post_initial": {"weight": "scalar", "function": "mlp", "norm": "post",
                                "base": "initial", "pooling": "max", "self_neighbour": False},
    "scalar_glu_shared": {"weight": "scalar", "function": "glu", "share_weights": True,
                          "steps": 3, "alpha_learned": True, "hidden_dim": 5},
    "channel_mlp_dilated": {"function": "mlp", "activation": "relu", "dilation": [1, 2, 4],
                            "steps": 3, "pooling": "mean_max", "alpha": 0.3},
    "channel_glu_initial": {"function": "glu", "activation": "silu", "base": "initial",
                            "alpha_learned": True, "norm": "none", "radius": 2},
    "channel_linear_post": {"activation": "tanh", "norm": "post", "alpha_learned": True,
                            "alpha": 0.7, "pooling": "max", "dilation": [3],
                            "self_neighbour": False, "head_hidden_dim": 4},
    "full_linear": {"weight": "full", "activation": "silu", "pooling": "mean_max",
                    "alpha_learned": True},
    "full_mlp_shared_post": {"weight": "full", "function": "mlp", "share_weights": True,
                             "steps": 3, "norm": "post", "dilation": [2], "head_hidden_dim": 0},
    "full_glu_initial": {"weight": "full", "function": "glu", "base": "initial", "norm": "none",
                         "radius": 2, "self_neighbour": False, "pooling": "max", "alpha": 0.2},
    "fixed_scalar": {"weight": "scalar", "weight_learned": False, "weight_init": 1.0,
                     "share_weights": True, "activation": "identity", "norm": "none",
                     "self_neighbour": False, "head_hidden_dim": 0, "steps": 4},
    "fixed_full": {"weight": "full", "weight_learned": False, "function": "mlp"},
    "far_neighbours": {"dilation": [9], "weight": "full", "self_neighbour": False, "steps": 1},
    "alpha_one": {"alpha": 1.0, "steps": 1},
    "alpha_zero": {"alpha": 0.0, "steps": 1, "weight": "scalar"},
    "bigrams": {"bigram_buckets": 11, "pooling": "mean_max", "base": "initial"},
    "adversarial": {"bigram_buckets": 30, "pooling": "mean_max"},
    "causal": {"causal": True, "dilation": [1, 3], "steps": 4, "function": "glu", "radius": 2,
               "pooling": "mean_max"},
    "causal_full": {"causal": True, "dilation": [2], "weight": "full", "self_neighbour": False},
    "values": {"values": True, "function": "glu", "steps": 3, "dilation": [1, 2],
               "pooling": "mean_max"},
    "shared_by_dilation": {"share_weights": True, "steps": 5, "dilation": [1, 2],
                           "alpha_learned": True},
}
# Size of the adversarial step of a case whose gradients are those of both losses' sum.
ADVERSARIAL = {"adversarial": 0.3}


def dump_case(folder, number, name, options):
    config = {**DEFAULTS, **options}
    generator = torch.Generator().manual_seed(1000 + number)
    vocab_size, classes = 257 if config.get("values") else 20, 3
    lengths = [4, 1, 7, 2, 1, 5]
    sequences = [torch.randint(vocab_size, (n,), generator=generator).tolist() for n in lengths]
    labels = torch.randint(classes, (len(lengths),), generator=generator)
    # The values that float32 files hold, computed with in float64.
    parameters = {
        key: value.float().double().requires_grad_()
        for key, value in random_parameters(config, vocab_size, classes, generator).items()
    }
    logits = ReferenceModel(config, parameters).logits(sequences)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    size = ADVERSARIAL.get(name, 0)
    if size:
        adversarial_loss(ReferenceModel(config, parameters), sequences, labels, size).backward()

    offsets = [0]
    for n in lengths:
        offsets.append(offsets[-1] + n)
    tensors = {
        "input.tokens": torch.tensor(sum(sequences, []), dtype=torch.int32),
        "input.offsets": torch.tensor(offsets, dtype=torch.int32),
        "input.labels": labels,
        "output.logits": logits.detach().float(),
        "output.loss": loss.detach().float().reshape(1),
    }
    for key, value in parameters.items():
        grad = value.grad if value.grad is not None else torch.zeros_like(value)
        tensors["parameter." + key] = value.detach().float().contiguous()
        tensors["gradient." + key] = grad.float().contiguous()
    # One entry: the file format's writer does not keep the order of several.
    values = config.pop("values", False)
    case = {"model": config, "values": values, "vocab_size": vocab_size, "classes": classes}
    case = json.dumps({**case, "adversarial": size} if size else case)
    path = folder / f"{name}.safetensors"
    save_file(tensors, path, {"case": case})
    path.chmod(0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump-fixtures", type=pathlib.Path, required=True, metavar="FOLDER")
    folder = parser.parse_args().dump_fixtures
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, options) in enumerate(CASES.items()):
        dump_case(folder, number, name, options)
    total = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    print(f"{len(CASES)} cases, {total / 1000:.0f} kB in {folder}")


if __name__ == "__main__":
    main()
