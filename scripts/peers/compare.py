#!/usr/bin/env python3
"""diffuse beside fastText and a linear SVM: whole processes, from raw CSV files to the test accuracy, in turns.

Each round trains a config of ours with the next seed, without its cache, and the peers with that seed: fastText with
pairs of words (fasttext.sh), fastText with the settings that it finds by itself (autotune), the SVM (tfidf_svm.py) and
naive Bayes with logistic regression (nb_logistic.py), on the same rows and threads. Validation rows are cut from ours;
the others train on all, but for autotune, which keeps a tenth aside. With --defaults ours is what `diffuse train` chooses
without a config, on the config's files.
Prints a table in Markdown: median time and CPU time, the ratio of ours to each (median of the rounds, smallest and largest),
peak memory, size of the model file, test accuracy, and of each seed McNemar's test against the other's predictions.

Time is the wall clock's and memory that of the largest process of a program, both as the system accounts for them. What
ours needs to predict is its model file: weights, vocabulary, config; not the optimizer's state beside them. For
fastText, `without conversion` is its time less that of writing its text form of the CSV files.

Example, on two cores: scripts/peers/compare.py --config agnews-fast.json --set data.max_rows=86680 --threads 2
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from rows import fail

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
NOT_OF_THE_MODEL = ("optimizer.safetensors", "state.json", "texts.bin")


def measured(command: list[Any]) -> tuple[dict[str, float], str]:
    """Time, CPU time and peak memory of a command and all that it starts, and what it printed."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as answer, subprocess.Popen([str(word) for word in command], stdout=answer) as process:
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            fail(f"{pathlib.Path(command[0]).name} failed with {process.returncode}; see above")
        answer.seek(0)
        return {"time_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}, answer.read()


def answer_of(command: list[Any]) -> dict[str, Any]:
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        fail(f"{pathlib.Path(command[0]).name} failed with {result.returncode}; see above")
    return json.loads(result.stdout)


def starts(arguments: argparse.Namespace, peer: str) -> list[Any]:
    """How the program of a peer is called."""
    if peer in ("fasttext", "autotune"):
        return [HERE / "fasttext.sh"]
    return [arguments.python, HERE / {"svm": "tfidf_svm.py", "nb": "nb_logistic.py"}[peer]]


class Comparison:
    def __init__(self, arguments: argparse.Namespace, folder: pathlib.Path) -> None:
        self.arguments, self.folder = arguments, folder
        self.settings = ["--config", arguments.config]
        for setting in arguments.set:
            self.settings += ["--set", setting]
        shown = self.settings[2:]
        self.data = answer_of([arguments.diffuse, "config", "--show", arguments.config, *shown])["data"]
        if not self.data["train"] or not self.data["test"]:
            fail(f"{arguments.config} names no data.train or no data.test; give them with --set")
        if arguments.defaults:
            self.settings = ["--train", self.data["train"], "--test", self.data["test"]]
            for key in ("labels", "label_base", "max_rows"):
                if self.data[key]:
                    self.settings += ["--set", f"data.{key}={self.data[key]}"]
        self.rows = ["--train", self.data["train"], "--test", self.data["test"], "--rows", self.data["max_rows"]]
        if self.data["label_column"]:
            self.rows += ["--label-column", self.data["label_column"]]
        if self.data["text_columns"]:
            self.rows += ["--text-columns", ",".join(map(str, self.data["text_columns"]))]
        chosen = [self.data["label_column"], *map(str, self.data["text_columns"])]
        if self.data["header"] == "yes" or any(column and not column.isdecimal() for column in chosen):
            self.rows += ["--header"]

    def ours(self, seed: int, out: pathlib.Path) -> dict[str, Any]:
        figures, _ = measured([self.arguments.diffuse, "--quiet", "train", *self.settings, "--set", f"train.seed={seed}",
                                  "--set", "data.cache=false", "--threads", self.arguments.threads, "--out", out, "--json"])  # fmt: skip
        files = (out / "checkpoints/best" if (out / "checkpoints/best").exists() else out / "checkpoints/last").iterdir()
        figures["model_bytes"] = sum(f.stat().st_size for f in files if f.name not in NOT_OF_THE_MODEL)
        return figures | {"accuracy": json.loads((out / "test.json").read_text())["accuracy"]}

    def peer(self, name: str, seed: int, out: pathlib.Path) -> dict[str, Any]:
        command = [*starts(self.arguments, name), *self.rows, "--seed", seed, "--out", out]
        if name in ("fasttext", "autotune"):
            command += ["--threads", self.arguments.threads]
        if name == "autotune":
            command += ["--autotune", self.arguments.autotune_s]
        if name == "fasttext" and self.arguments.fasttext_options:
            command += ["--", *self.arguments.fasttext_options.split()]
        figures, text = measured(command)
        return figures | json.loads(text)

    def named(self, path: pathlib.Path) -> pathlib.Path:
        """The predictions in `path` with the labels' names, where the config names the classes that the files number."""
        if not self.data["labels"]:
            return path
        names = pathlib.Path(self.data["labels"]).read_text(encoding="utf-8").split("\n")
        base = self.data["label_base"]
        name = lambda label: names[int(label) - base] if label.isdecimal() and label not in names else label
        lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        renamed = path.with_name("named.tsv")
        renamed.write_text("".join("\t".join([line[0], name(line[1]), name(line[2]), line[3]]) + "\n"
                                   if i else "\t".join(line) + "\n" for i, line in enumerate(lines)), encoding="utf-8")  # fmt: skip
        return renamed

    def round(self, seed: int, number: int) -> dict[str, dict[str, Any]]:
        results: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            # Whoever comes first meets another state of the machine: the order turns with the rounds.
            order = ["diffuse", *self.arguments.peers]
            for program in order[number % len(order):] + order[:number % len(order)]:
                results[program] = (self.ours(seed, folder / program) if program == "diffuse"
                                    else self.peer(program, seed, folder / program)) | {"seed": seed}  # fmt: skip
                print(f"round {number + 1}, seed {seed}: {program} {results[program]['time_s']:.2f} s, "
                      f"{100 * results[program]['accuracy']:.2f} %", file=sys.stderr)  # fmt: skip
            for program in self.arguments.peers:
                answer = answer_of([self.arguments.diffuse, "--quiet", "eval", "--checkpoint", folder / "diffuse", "--json",
                                    "--against", self.named(folder / program / "predictions.tsv")])  # fmt: skip
                results[program]["against"] = answer["against"]
        return results


def spread(values: list[float], form: str) -> str:
    return f"{format(statistics.median(values), form)} ({format(min(values), form)} – {format(max(values), form)})"


def print_table(rounds: list[dict[str, dict[str, Any]]], rows: str) -> None:
    print(f"{rows}; {len(rounds)} rounds in turns.\n")
    print("| program | time, s | ours to it | CPU time, s | peak memory | model file | test accuracy |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for program in rounds[0]:
        of = [one[program] for one in rounds]
        lines = [(program, [one["time_s"] for one in of])]
        if program == "fasttext":
            lines.append(("without conversion", [one["time_s"] - one["seconds"]["convert"] for one in of]))
        for name, times in lines:
            ratio = "" if program == "diffuse" else spread([one["diffuse"]["time_s"] / t for one, t in zip(rounds, times)], ".2f")
            line = f"| {name} | {spread(times, '.2f')} | {ratio} |"
            if name == program:
                accuracies = [100 * one["accuracy"] for one in of]
                line += (f" {statistics.median(one['cpu_s'] for one in of):.2f} | {max(one['peak_bytes'] for one in of) / 1e6:.0f} MB "
                         f"| {max(one['model_bytes'] for one in of) / 1e6:.1f} MB | {statistics.mean(accuracies):.2f} % "
                         f"({', '.join(f'{a:.2f}' for a in accuracies)}) |")  # fmt: skip
            else:
                line += " | | | |"
            print(line)
    for program in rounds[0]:
        if program == "diffuse":
            continue
        print(f"\nMcNemar against {program}, rows that only ours / only it has right:")
        for one in rounds:
            against = one[program]["against"]
            print(f"- seed {one[program]['seed']}: {against['only_this_right']} / {against['only_other_right']}, "
                  f"p = {against['mcnemar_p_value']:.2g}")  # fmt: skip


def main() -> None:
    own = PROJECT / ".deps/python/bin/python"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="as `diffuse train --config`; it names the CSV files and their columns")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="laid over the config")
    parser.add_argument("--seeds", default="1,2,3,4,5", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, help="default: one for each seed")
    parser.add_argument("--defaults", action="store_true", help="ours without the config but for its files and how they are read")
    parser.add_argument("--peers", default="fasttext,svm", help="of fasttext, autotune, svm, nb; default: %(default)s; empty: none")
    parser.add_argument("--autotune-s", type=int, default=60, metavar="S", help="that fastText may look for; default: %(default)s")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of ours and of fastText; default: all cores")
    parser.add_argument("--fasttext-options", metavar="OPTIONS", help="in place of those of fasttext.sh: '-dim 10 -epoch 50'")
    parser.add_argument("--diffuse", default=PROJECT / "build/release/bin/diffuse", help="the program; default: that of build/release")
    parser.add_argument("--python", default=own if own.exists() else sys.executable, help="with scikit-learn; default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="where every figure of every round goes")
    arguments = parser.parse_args()
    arguments.peers = [name for name in arguments.peers.split(",") if name]
    if unknown := set(arguments.peers) - {"fasttext", "autotune", "svm", "nb"}:
        fail(f"unknown peer {', '.join(sorted(unknown))}; expected some of fasttext, autotune, svm, nb")
    if not os.access(arguments.diffuse, os.X_OK):
        fail(f"{arguments.diffuse} is not there; build it (scripts/setup.sh), or name it with --diffuse")
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(arguments, pathlib.Path(folder))
        # A machine without the tool is told so before anything is trained.
        for name in arguments.peers:
            if subprocess.run([*map(str, starts(arguments, name)), "--check"], check=False).returncode != 0:
                fail(f"{name} cannot run; without it: --peers {','.join(p for p in arguments.peers if p != name)}")
        rounds = [comparison.round(seeds[i % len(seeds)], i) for i in range(arguments.rounds or len(seeds))]
    print_table([{name: one[name] for name in ["diffuse", *arguments.peers]} for one in rounds],
                f"{arguments.config}" + (" (its files, no config)" if arguments.defaults else "") + "".join(f" --set {s}" for s in arguments.set) + f", {arguments.threads} threads")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rounds, indent=1) + "\n")


if __name__ == "__main__":
    main()
