#!/usr/bin/env python3
"""Writes tests/model/fixtures/distilbert/: a small DistilBERT of `transformers` with what it computes,
and TorchScript files as people export them from Python.

    config.json, model.safetensors   as save_pretrained writes them
    reference.safetensors            inputs, logits, loss and every gradient (at evaluation: no dropout)
    traced.pt                        the same model by torch.jit.trace
    scripted.pt                      another small model by torch.jit.script; its logits are in the reference

Usage: make_distilbert_fixture.py [FOLDER]   (needs torch, transformers and safetensors)
"""

import pathlib
import sys
import warnings

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification

VOCAB_SIZE = 40
CLASSES = 3
PAD_ID = 0
LENGTHS = [7, 24, 1, 12]
POSITIONS = 24


class Logits(nn.Module):
    """Of the model's outputs the logits alone, for tracing."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


class MeanOfTokens(nn.Module):
    """Dropout and a linear layer on the mean of the token embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCAB_SIZE, 8)
        self.dropout = nn.Dropout(0.5)
        self.out = nn.Linear(8, CLASSES)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        weights = attention_mask.to(torch.float32).unsqueeze(2)
        mean = (self.tokens(input_ids) * weights).sum(1) / weights.sum(1)
        return self.out(self.dropout(mean))


def make_model() -> DistilBertForSequenceClassification:
    config = DistilBertConfig(
        vocab_size=VOCAB_SIZE,
        max_position_embeddings=POSITIONS,
        dim=16,
        hidden_dim=32,
        n_layers=2,
        n_heads=2,
        num_labels=CLASSES,
        pad_token_id=PAD_ID,
        attn_implementation="sdpa",
    )
    model = DistilBertForSequenceClassification(config).eval()
    # Larger than the usual start, so that every part shows in the logits; the padding row as well,
    # to show a model that lets it in.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if name.lower().endswith("norm.weight") else 0.0
            parameter.normal_(centre, 0.3)
    return model


def main() -> None:
    here = pathlib.Path(__file__).resolve().parent.parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / "tests/model/fixtures/distilbert"
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    torch.manual_seed(7)

    model = make_model()
    longest = max(LENGTHS)
    mask = torch.tensor([[int(i < length) for i in range(longest)] for length in LENGTHS])
    # Padding tokens inside the texts too: their embedding takes no gradient.
    tokens = torch.randint(0, VOCAB_SIZE, (len(LENGTHS), longest))
    ids = torch.where(mask == 1, tokens, torch.tensor(PAD_ID))
    ids[1, 5] = PAD_ID
    labels = torch.tensor([2, 0, 1, 0])

    result = model(input_ids=ids, attention_mask=mask, labels=labels)
    result.loss.backward()
    model.save_pretrained(folder)

    scripted = MeanOfTokens()
    with torch.no_grad():
        scripted_logits = scripted.eval()(ids, mask)
    torch.jit.script(scripted).save(str(folder / "scripted.pt"))

    with torch.no_grad():
        torch.jit.trace(Logits(model), (ids, mask)).save(str(folder / "traced.pt"))

    offsets = torch.tensor([0, *torch.tensor(LENGTHS).cumsum(0).tolist()], dtype=torch.int32)
    save_file(
        {
            "input.tokens": ids[mask == 1].to(torch.int32),
            "input.offsets": offsets,
            "input.labels": labels,
            "output.logits": result.logits.detach(),
            "output.loss": result.loss.detach().reshape(1),
            "scripted.logits": scripted_logits,
            **{f"gradient.{name}": p.grad for name, p in model.named_parameters()},
        },
        folder / "reference.safetensors",
    )
    for file in sorted(folder.iterdir()):
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
