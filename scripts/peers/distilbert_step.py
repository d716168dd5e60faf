#!/usr/bin/env python3
"""What a training step and a forward pass of DistilBERT cost in `transformers`, beside this program's.

The same work as `diffuse bench`: the sizes of distilbert-base-uncased with random weights, random texts of
one length, no padding; a training step is forward, cross entropy in float32, backward, clipping to norm 1
and fused AdamW; a forward pass ends with the logits on the host. bf16 and fp16 are autocast over float32
weights in training; a forward pass is measured with autocast and with the weights cast once (`cast`), and
the faster one counts. With --diffuse the program takes turns with it, and the answer holds the ratio of
each pair of medians.

Prints a JSON object a line, one for every mode, precision and size. Needs torch and transformers (scripts/setup.sh --python).
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import time
from typing import Any, Callable, Iterator

import torch
import transformers
from transformers import DistilBertConfig, DistilBertForSequenceClassification

CLASSES = 4
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def make_model(device: torch.device, positions: int) -> DistilBertForSequenceClassification:
    torch.manual_seed(1)
    config = DistilBertConfig(num_labels=CLASSES, max_position_embeddings=max(512, positions))
    return DistilBertForSequenceClassification(config).to(device)


def batches_of(arguments: argparse.Namespace, device: torch.device) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    made = [
        (
            torch.randint(1, 30522, (arguments.batch, arguments.seq_len), device=device),
            torch.randint(0, CLASSES, (arguments.batch,), device=device),
        )
        for _ in range(4)
    ]
    while True:
        yield from made


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    if precision not in HALF:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=HALF[precision])


def training_step(model: Any, arguments: argparse.Namespace, device: torch.device) -> Callable[[], None]:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)
    scaler = torch.amp.GradScaler(device.type, enabled=arguments.precision == "fp16")
    texts = batches_of(arguments, device)

    def step() -> None:
        ids, labels = next(texts)
        with autocast(device, arguments.precision):
            logits = model(input_ids=ids).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)

    return step


def forward_pass(model: Any, arguments: argparse.Namespace, device: torch.device, cast: bool) -> Callable[[], None]:
    model.eval()
    texts = batches_of(arguments, device)

    def call() -> None:
        ids, _ = next(texts)
        with torch.inference_mode(), contextlib.nullcontext() if cast else autocast(device, arguments.precision):
            model(input_ids=ids).logits.float().cpu()

    return call


def timed(call: Callable[[], None], device: torch.device, seconds: float) -> list[float]:
    """Times of single calls for about `seconds`, at least three, after a warm-up of half of it, at least two."""

    def one() -> float:
        start = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    end = time.perf_counter() + seconds / 2
    one()
    one()
    while time.perf_counter() < end:
        one()
    samples: list[float] = []
    end = time.perf_counter() + seconds
    while len(samples) < 3 or time.perf_counter() < end:
        samples.append(one())
    return samples


def of_diffuse(arguments: argparse.Namespace, mode: str) -> float:
    """Median of a call of DistilBERT in this program."""
    command = [
        arguments.diffuse, "--quiet", "bench", "--compare", "distilbert", "--mode", mode, "--no-memory",
        "--batch-size", str(arguments.batch), "--seq-len", str(arguments.seq_len), "--device", arguments.device,
        "--precision", arguments.precision, "--threads", str(torch.get_num_threads()), "--format", "json",
        "--set", "data.train=", "--budget", "100000",
    ]  # fmt: skip
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(answer)["cases"][0]["models"][1]["measurements"][0]["median_s"]


def measure(arguments: argparse.Namespace, mode: str) -> dict[str, Any]:
    device = torch.device(arguments.device)
    half = HALF.get(arguments.precision)
    forms: dict[str, Callable[[], None]] = {}
    if mode == "train":
        forms["train"] = training_step(make_model(device, arguments.seq_len), arguments, device)
    else:
        name = "float32 weights" if half is None else "autocast"
        forms[name] = forward_pass(make_model(device, arguments.seq_len), arguments, device, half is None)
        if half is not None:
            forms["cast"] = forward_pass(make_model(device, arguments.seq_len).to(half), arguments, device, True)
    rounds: dict[str, list[float]] = {name: [] for name in forms}
    ours: list[float] = []
    for _ in range(arguments.rounds):
        for name, call in forms.items():
            rounds[name].append(statistics.median(timed(call, device, arguments.seconds)))
        if arguments.diffuse:
            ours.append(of_diffuse(arguments, mode))
    best = min(rounds, key=lambda name: statistics.median(rounds[name]))
    result: dict[str, Any] = {
        "mode": mode,
        "precision": arguments.precision,
        "batch": arguments.batch,
        "seq_len": arguments.seq_len,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "transformers_s": statistics.median(rounds[best]),
        "form": best,
        "forms": {name: {"median_s": statistics.median(of), "rounds_s": of} for name, of in rounds.items()},
    }
    if ours:
        ratios = [a / b for a, b in zip(ours, rounds[best])]
        result |= {"diffuse_s": statistics.median(ours), "diffuse_rounds_s": ours,
                   "ratio": statistics.median(ratios), "ratios": ratios}  # fmt: skip
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:i")
    parser.add_argument("--precision", default="fp32", help="fp32, tf32, bf16 or fp16; several with commas between")
    parser.add_argument("--batch", default="1", help="texts of a call; several with commas between")
    parser.add_argument("--seq-len", default="64", help="tokens of a text; several with commas between")
    parser.add_argument("--mode", default="train,inference", help="train or inference; both by default, with a comma between")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of the CPU")
    parser.add_argument("--seconds", type=float, default=2, help="of calls a round")
    parser.add_argument("--rounds", type=int, default=5, help="turns that the two programs take")
    parser.add_argument("--diffuse", metavar="PROGRAM", help="bin/diffuse of a build, to compare with")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lists = [arguments.mode.split(","), arguments.precision.split(",")]
    sizes = [[int(size) for size in text.split(",")] for text in (arguments.batch, arguments.seq_len)]
    for mode, precision, batch, seq_len in itertools.product(*lists, *sizes):
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        one = argparse.Namespace(**{**vars(arguments), "precision": precision, "batch": batch, "seq_len": seq_len})
        print(json.dumps(measure(one, mode)), flush=True)


if __name__ == "__main__":
    main()
