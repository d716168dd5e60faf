#!/usr/bin/env python3
"""A linear SVM on TF-IDF of words and word pairs (scikit-learn), from a pair of CSV files to the test accuracy.

TF-IDF of 1- and 2-grams with sublinear counts and every n-gram kept, tokens `\\b\\w+\\b|[!?]` in lower case, and LinearSVC
with C = 1: nothing is tuned. Prints one JSON object: accuracy, rows, n-grams, model_bytes (vectorizer and weights, pickled)
and seconds of `read`, `train` and `test`. With --out the model (model.pickle) and the predictions (predictions.tsv, as
`diffuse eval --output` writes them; an SVM has no probability) stay there. `--check` alone only sees to it that scikit-learn
is there.
"""

import argparse
import json
import pathlib
import pickle
import sys
import tempfile
import time

import rows

try:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC
except ImportError:
    rows.fail(f"{sys.executable} has no scikit-learn: scripts/setup.sh --peers puts it into .deps/python, or pip install scikit-learn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, metavar="CSV", help="plain or .gz")
    parser.add_argument("--test", required=True, metavar="CSV")
    parser.add_argument("--rows", type=int, default=0, metavar="N", help="the first N of the training file; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which the solver takes the rows")
    parser.add_argument("--out", metavar="DIR", help="where the model and the predictions stay; default: a folder that is deleted")
    rows.add_arguments(parser)
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
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=1, token_pattern=r"\b\w+\b|[!?]")
        classifier = LinearSVC(C=1, random_state=arguments.seed).fit(vectorizer.fit_transform(texts), labels)
        with open(out / "model.pickle", "wb") as file:
            pickle.dump((vectorizer, classifier), file, protocol=pickle.HIGHEST_PROTOCOL)
        times.append(time.perf_counter())
        predicted = classifier.predict(vectorizer.transform(test_texts))
        accuracy = rows.write_predictions(str(out / "predictions.tsv"), gold, predicted, ["nan"] * len(gold))
        times.append(time.perf_counter())
        print(json.dumps({
            "accuracy": accuracy, "train_rows": len(labels), "test_rows": len(gold), "ngrams": len(vectorizer.vocabulary_),
            "model_bytes": (out / "model.pickle").stat().st_size,
            "seconds": {name: end - begin for name, begin, end in zip(("read", "train", "test"), times, times[1:])},
        }))  # fmt: skip


if __name__ == "__main__":
    main()
