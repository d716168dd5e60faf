#!/usr/bin/env python3
"""How long a process of `diffuse predict` that is warm takes to answer one text.

It reads texts from a pipe and answers each before it gets the next one, so that a time is that of a whole
answer: text through the pipe, words, forward pass, answer through the other pipe. Prints JSON.
"""

import argparse
import csv
import gzip
import itertools
import json
import pathlib
import statistics
import subprocess
import time


def texts_of(path: pathlib.Path, count: int) -> list[bytes]:
    """The last column of so many rows of a CSV file, each as a line."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as file:
        rows = list(itertools.islice(csv.reader(file), count))
    return [" ".join(row[-1].split()).encode() + b"\n" for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffuse", required=True, help="the program")
    parser.add_argument("--model", required=True, help="run directory or checkpoint")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--texts", required=True, type=pathlib.Path, help="CSV file, plain or .gz")
    parser.add_argument("--warm-up", type=int, default=200, help="answers that do not count")
    parser.add_argument("--answers", type=int, default=2000)
    arguments = parser.parse_args()
    texts = itertools.cycle(texts_of(arguments.texts, arguments.warm_up + arguments.answers))
    command = [arguments.diffuse, "--quiet", "predict", "--checkpoint", arguments.model, "--device", arguments.device]
    samples = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        # Unbuffered: nothing of Python waits for more than a line.
        assert process.stdin and process.stdout
        for text in itertools.islice(texts, arguments.warm_up + arguments.answers):
            start = time.perf_counter()
            process.stdin.write(text)
            answer = process.stdout.read(65536)
            samples.append(time.perf_counter() - start)
            if not answer.endswith(b"\n"):
                raise SystemExit(f"no whole answer: {answer!r}")
        process.stdin.close()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    samples = sorted(samples[arguments.warm_up :])
    p95 = samples[min(len(samples) - 1, int(0.95 * len(samples)))]
    print(json.dumps({"answers": len(samples), "median_s": statistics.median(samples), "p95_s": p95}))


if __name__ == "__main__":
    main()
