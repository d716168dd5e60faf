#!/usr/bin/env python3
"""Logits of a checkpoint by the independent reference model, to compare with diffuse's own.

    scripts/check_checkpoint.py RUN_OR_CHECKPOINT --ids "5 17 3"      token ids, one text each
    scripts/check_checkpoint.py RUN_OR_CHECKPOINT --ids -             id lines on standard input
    scripts/check_checkpoint.py RUN_OR_CHECKPOINT TEXTS               a file of texts, one a line
    scripts/check_checkpoint.py RUN_OR_CHECKPOINT TEXTS --compare L   ... against diffuse's own logits

where L is what `diffuse predict --checkpoint RUN_OR_CHECKPOINT TEXTS --format jsonl --logits` wrote:
prints the largest difference and fails where it is above 1e-5.

Reads model.safetensors with the `safetensors` package, config.json, vocab.txt and labels.txt, of a model
with n-grams also ngrams.safetensors and branches.json (scripts/reference_ngrams.py), and
runs nothing of diffuse. Prints the label names, then one line for each text: its logits, separated
by tabs. Texts for a `words` vocabulary and for n-grams must be ASCII here; for others, without n-grams, give
the ids. A text of unknown words alone, without an n-gram that is known, has, as in `diffuse predict`, the
logarithms of the training rows' class shares (data.json).

Needs torch, safetensors, xxhash for n-grams and, for texts and WordPiece, tokenizers (scripts/setup.sh
--python).
"""

import argparse
import json
import math
import pathlib
import re
import sys

import torch
from reference_model import ReferenceModel
from safetensors.torch import load_file


UNKNOWN = {"words": 1, "wordpiece": 100}  # the id of a word that the vocabulary lacks


def find_checkpoint(path):
    for folder in (path, path / "checkpoints" / "best", path / "checkpoints" / "last"):
        if (folder / "model.safetensors").is_file():
            return folder
    sys.exit(f"check_checkpoint: no model.safetensors in {path} or its checkpoints")


def read_lines(path):
    """The lines of a UTF-8 file; only line feeds end one."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def make_encoder(config, vocab_path):
    """A function from a text to its ids."""
    kind = config["type"]
    if kind == "bytes":
        return lambda text: [3 + byte for byte in text.encode()]
    if kind == "wordpiece":
        from tokenizers import BertWordPieceTokenizer

        tokenizer = BertWordPieceTokenizer(str(vocab_path), lowercase=config["lowercase"])
        return lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    vocabulary = {token: i for i, token in enumerate(read_lines(vocab_path))}

    def encode_words(text):
        if not text.isascii():
            sys.exit(f"check_checkpoint: not ASCII, give the ids instead: {text!r}")
        text = text.lower() if config["lowercase"] else text
        return [vocabulary.get(word, 1) for word in re.findall(r"[A-Za-z0-9]+|[!-~]", text)]

    return encode_words


def share_logits(folder):
    """What stands for a text of unknown words alone; None in a checkpoint without data.json."""
    file = folder / "data.json"
    if not file.is_file():
        return None
    rows = json.loads(file.read_text(encoding="utf-8"))["class_rows"]
    return [math.log(max(count / sum(rows), 1e-30)) for count in rows]


def temperature(folder):
    """What divides the logits; 1 where nothing is said."""
    file = folder / "calibration.json"
    return json.loads(file.read_text(encoding="utf-8"))["temperature"] if file.is_file() else 1


def network_logits(folder, config, sequences):
    classes = len(read_lines(folder / "labels.txt"))
    if config["model"]["dim"] == 0:  # the n-grams alone
        return [[0.0] * classes for _ in sequences]
    # In double: what differs from diffuse's logits is then its own rounding alone.
    parameters = {k: v.double() for k, v in load_file(folder / "model.safetensors").items()}
    model = ReferenceModel(config["model"], parameters)
    with torch.no_grad():
        return [model.logits([sequence])[0].tolist() for sequence in sequences]


def add_ngrams(folder, config, texts, rows):
    """Adds the n-grams' logits to those of the network; which texts have an n-gram that is known."""
    if not (folder / "ngrams.safetensors").is_file():
        return rows, [False] * len(rows)
    if texts is None:
        sys.exit(f"check_checkpoint: {folder} has n-grams, which are read from texts; give TEXTS")
    from reference_ngrams import ReferenceNgrams

    if not all(text.isascii() for text in texts):
        sys.exit("check_checkpoint: the texts must be ASCII for n-grams")
    ngrams = ReferenceNgrams(folder, config)
    sums = [ngrams.add_to(row, text) for row, text in zip(rows, texts)]
    return sums, [bool(ngrams.counts(text)) for text in texts]


def read_id_lines(arguments):
    lines = []
    for argument in arguments:
        lines += sys.stdin.read().splitlines() if argument == "-" else [argument]
    return [[int(token) for token in line.split()] for line in lines]


def compare(rows, lines):
    """The exit code: 0 if the logits of the prediction lines are those of `rows` to 1e-5."""
    if len(lines) != len(rows):
        sys.exit(f"check_checkpoint: {len(lines)} predictions for {len(rows)} texts")
    largest = 0.0
    for row, line in zip(rows, lines):
        logits = json.loads(line)["logits"]
        if len(logits) != len(row):
            sys.exit(f"check_checkpoint: {len(logits)} logits where there are {len(row)} classes")
        largest = max(largest, *(abs(a - b) for a, b in zip(row, logits)))
    print(f"{len(rows)} texts, largest difference of a logit {largest:.2g}")
    return 0 if largest <= 1e-5 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path, help="run directory or checkpoint")
    parser.add_argument("texts", type=pathlib.Path, nargs="?", help="texts, one a line")
    parser.add_argument("--ids", action="append", help="token ids of one text, or -; repeatable")
    parser.add_argument("--compare", type=pathlib.Path, help="predictions with logits, for TEXTS")
    options = parser.parse_args()
    if options.compare and options.texts is None:
        parser.error("--compare goes with TEXTS")
    if (options.texts is None) == (options.ids is None):
        parser.error("give either TEXTS or --ids")

    folder = find_checkpoint(options.checkpoint)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    texts = None
    if options.ids:
        sequences = read_id_lines(options.ids)
    else:
        encode = make_encoder(config["tokenizer"], folder / "vocab.txt")
        limit = config["tokenizer"]["max_tokens"] or None
        texts = read_lines(options.texts)
        sequences = [encode(text)[:limit] for text in texts]
    for number, sequence in enumerate(sequences, 1):
        if not sequence:
            sys.exit(f"check_checkpoint: text {number} has no tokens")

    rows, known = add_ngrams(folder, config, texts, network_logits(folder, config, sequences))
    rows = [[logit / temperature(folder) for logit in row] for row in rows]
    shares, unknown = share_logits(folder), UNKNOWN.get(config["tokenizer"]["type"])
    if shares and unknown is not None:
        rows = [shares if texts and not knows and all(token == unknown for token in sequence) else row
                for sequence, row, knows in zip(sequences, rows, known)]
    if options.compare:
        sys.exit(compare(rows, read_lines(options.compare)))
    print("\t".join(read_lines(folder / "labels.txt")))
    for row in rows:
        print("\t".join(f"{x:.7f}" for x in row))


if __name__ == "__main__":
    main()
