#!/usr/bin/env python3
"""Writes tests/model/fixtures/bert/: a small BERT of `transformers` with what it computes.

    config.json, model.safetensors   as save_pretrained writes them
    reference.safetensors            inputs; logits, loss and every gradient (at evaluation: no dropout);
                                     under "mean.", those of the same model with a classifier on the mean
                                     of a text's tokens in place of the pooler; under "eps.", those with
                                     norms of an epsilon that is large enough to show

Usage: bert.py [FOLDER]   (needs torch, transformers and safetensors: scripts/setup.sh --python)
"""

import copy
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

VOCAB_SIZE = 40
CLASSES = 3
LENGTHS = [7, 24, 1, 12]
POSITIONS = 24
LARGE_EPSILON = 0.1


def main() -> None:
    here = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "tests/model/fixtures/bert"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(11)
    config = BertConfig(
        vocab_size=VOCAB_SIZE, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=POSITIONS, num_labels=CLASSES, pad_token_id=0,
    )  # fmt: skip
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():  # larger than the usual start, so that every part shows in the logits
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if name.endswith("LayerNorm.weight") else 0.0, 0.3)

    longest = max(LENGTHS)
    mask = torch.tensor([[int(i < length) for i in range(longest)] for length in LENGTHS])
    # No padding token inside a text: transformers gives its embedding no gradient.
    ids = torch.randint(1, VOCAB_SIZE, (len(LENGTHS), longest)) * mask
    labels = torch.tensor([2, 0, 1, 0])
    tensors = {
        "input.tokens": ids[mask == 1].to(torch.int32),
        "input.offsets": torch.tensor([0, *torch.tensor(LENGTHS).cumsum(0).tolist()], dtype=torch.int32),
        "input.labels": labels,
    }

    def record(prefix: str, model: BertForSequenceClassification, logits: torch.Tensor) -> None:
        loss = F.cross_entropy(logits, labels)
        model.zero_grad()
        loss.backward()
        tensors[f"{prefix}output.logits"] = logits.detach()
        tensors[f"{prefix}output.loss"] = loss.detach().reshape(1)
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                tensors[f"{prefix}gradient.{name}"] = parameter.grad.clone()

    record("", model, model(input_ids=ids, attention_mask=mask).logits)
    states = model.bert(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.to(states.dtype).unsqueeze(2)
    record("mean.", model, model.classifier((states * weights).sum(1) / weights.sum(1)))
    other = copy.deepcopy(config)
    other.layer_norm_eps = LARGE_EPSILON
    same = BertForSequenceClassification(other).eval()
    same.load_state_dict(model.state_dict())
    record("eps.", same, same(input_ids=ids, attention_mask=mask).logits)
    model.save_pretrained(folder)
    save_file(tensors, folder / "reference.safetensors")
    for file in sorted(folder.iterdir()):
        file.chmod(0o644)
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
