"""What the linear models of this folder (scikit-learn) have in common: from a pair of CSV files to the test accuracy.

A model is a pair of functions: `fit(texts, labels, seed)` answers what is kept, `predict(model, texts)` the labels.
"""

import argparse
import json
import pathlib
import pickle
import sys
import tempfile
import time
from typing import Any, Callable, Sequence

import rows

TOKENS = r"\b\w+\b|[!?]"


def need_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        rows.fail(f"{sys.executable} has no scikit-learn: scripts/setup.sh --peers puts it into .deps/python, or pip install scikit-learn")


def run(description: str, fit: Callable[[Sequence[str], Sequence[str], int], Any], predict: Callable[[Any, Sequence[str]], Sequence[str]]) -> None:
    """The command line of such a model; prints its figures as one JSON object."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="CSV", help="plain or .gz")
    parser.add_argument("--test", required=True, metavar="CSV")
    parser.add_argument("--rows", type=int, default=0, metavar="N", help="the first N of the training file; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which the solver takes the rows")
    parser.add_argument("--out", metavar="DIR", help="where the model and the predictions stay; default: a folder that is deleted")
    rows.add_arguments(parser)
    need_scikit_learn()
    if sys.argv[1:] == ["--check"]:
        return
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = pathlib.Path(arguments.out or temporary)
        out.mkdir(parents=True, exist_ok=True)
        times = [time.perf_counter()]
        labels, texts = zip(*rows.rows_of(arguments.train, arguments, arguments.rows))
        gold, test_texts = zip(*rows.rows_of(arguments.test, arguments))
        times.append(time.perf_counter())
        model = fit(texts, labels, arguments.seed)
        with open(out / "model.pickle", "wb") as file:
            pickle.dump(model, file, protocol=pickle.HIGHEST_PROTOCOL)
        times.append(time.perf_counter())
        predicted = predict(model, test_texts)
        accuracy = rows.write_predictions(str(out / "predictions.tsv"), gold, predicted, ["nan"] * len(gold))
        times.append(time.perf_counter())
        print(json.dumps({
            "accuracy": accuracy, "train_rows": len(labels), "test_rows": len(gold),
            "model_bytes": (out / "model.pickle").stat().st_size,
            "seconds": {name: end - begin for name, begin, end in zip(("read", "train", "test"), times, times[1:])},
        }))  # fmt: skip
