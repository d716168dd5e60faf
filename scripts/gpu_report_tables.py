#!/usr/bin/env python3
"""What scripts/gpu_report.sh has measured, from the files in its work folder.

Usage: gpu_report_tables.py PART FOLDER

PART is operations, epochs, bench, paper, launches, answers or transformers, for a table of it in Markdown, or json, for all.
"""

import json
import pathlib
import sys
from typing import Any


def lines_of(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def json_of(path: pathlib.Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def best(case: dict[str, Any], model: int) -> str:
    measurements = case["models"][model]["measurements"]
    ran = [m for m in measurements if "median_s" in m]
    if not ran:
        return measurements[0].get("not_run", "")
    fastest = min(ran, key=lambda m: m["median_s"])
    return f"{1000 * fastest['median_s']:.4g} ms ({fastest['precision']})"


def tried(case: dict[str, Any], model: int) -> str:
    return ", ".join(
        f"{one['precision']} {'~' if one['estimated'] else ''}{1000 * one['call_s']:.4g}"
        for one in case["models"][model]["tried"]
        if one["call_s"] is not None
    )


def print_bench(bench: dict[str, Any]) -> None:
    print(f"\n{bench['models'][0]['name']} against {bench['models'][1]['name']}\n")
    print("| case | ours | other | times as long | times the memory |")
    print("|---|---:|---:|---:|---:|")
    for case in bench["cases"]:
        other = case["models"][1]
        time, memory = other.get("time_ratio"), other.get("memory_ratio")
        print(
            f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {best(case, 0)} | {best(case, 1)} "
            f"| {format(time['value'], '.3g') if time else ''} | {format(memory, '.3g') if memory else ''} |"
        )
    print("\nPrecisions tried, ms a call (~: estimated from a smaller call):\n")
    print("| case | ours | other |")
    print("|---|---|---|")
    for case in bench["cases"]:
        print(f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {tried(case, 0)} | {tried(case, 1)} |")
    for sentence in bench["sentences"]:
        print(f"\n{sentence}")
    for remark in bench["remarks"]:
        print(f"- {remark}")


def print_peers(peers: list[dict[str, Any]]) -> None:
    print("\nDistilBERT in this program and in transformers, medians of a call:\n")
    print("| case | precision | this program | transformers | times as long |")
    print("|---|---|---:|---:|---:|")
    for one in peers:
        print(
            f"| {one['mode']} {one['batch']} x {one['seq_len']} | {one['precision']} | {1000 * one['diffuse_s']:.4g} ms "
            f"| {1000 * one['transformers_s']:.4g} ms ({one['form']}) | {one['ratio']:.2f} |"
        )


def print_operations(work: pathlib.Path) -> None:
    selftest = json_of(work / "selftest.json")
    if selftest is None:
        return
    print(f"{len(selftest['checks'])} checks on {selftest['device']}, {selftest['wrong']} wrong.")
    for check in selftest["checks"]:
        if not check["good"]:
            print(f"- {check['operation']}, {check['type']}, {check['of']}: {check['error']:.1e} > {check['allowed']:.0e}")
    print("\n| operation | time | GB/s | of a copy |")
    print("|---|---:|---:|---:|")
    for one in selftest["speeds"]:
        print(
            f"| {one['operation']} | {1e6 * one['time_s']:.1f} us | {one['bytes_per_s'] / 1e9:.0f} "
            f"| {100 * one['of_copy']:.0f} % |"
        )


def epochs_of(run: pathlib.Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, lines_of(run / "metrics.jsonl")) if line["type"] == "epoch"]


def print_runs(work: pathlib.Path, names: list[str]) -> None:
    """Epochs, each with its time, memory and accuracy."""
    print("| run | epoch | seconds an epoch | allocated | test accuracy |")
    print("|---|---:|---:|---:|---:|")
    for name in names:
        lines = epochs_of(work / name)
        test = json_of(work / name / "test.json")
        for line in lines:
            accuracy = f"{100 * test['accuracy']:.2f} %" if test and line is lines[-1] else ""
            print(
                f"| {name} | {line['epoch']:.3g} | {line['epoch_time_s']:.3f} "
                f"| {line['peak_memory_bytes']['device_allocated'] / 1e6:.0f} MB | {accuracy} |"
            )


CALLS = ("operations", "kernel_launches", "graph_launches", "copies", "memsets", "synchronisations", "on_the_device")


def launches_of(work: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(work / "launches.jsonl")]


def print_launches(work: pathlib.Path) -> None:
    print("Calls an update of 32 texts of 64 tokens, by LibTorch's profiler; a device's own calls where there is one.\n")
    print("| update | " + " | ".join(call.replace("_", " ") for call in CALLS) + " |")
    print("|---|" + "---:|" * len(CALLS))
    for one in launches_of(work):
        print(f"| {one['config']} | " + " | ".join(f"{one[call]:.4g}" if call in one else "" for call in CALLS) + " |")


def print_answers(work: pathlib.Path) -> None:
    answers = json_of(work / "answers.json")
    if answers is None:
        return
    print("| text | LibTorch's operations | as `predict` does |")
    print("|---|---:|---:|")
    for case in answers["cases"]:
        print(f"| {case['seq_len']} tokens | {best(case, 0)} | {best(case, 1)} |")


PAPER = ["paper-fp32", "paper-auto", "paper-notebook-fp32", "paper-notebook-auto"]


def report_of(work: pathlib.Path) -> dict[str, Any]:
    tests = [line.split() for line in lines_of(work / "tests.txt")]
    report: dict[str, Any] = {
        "version": json_of(work / "version.json"),
        "selftest": json_of(work / "selftest.json"),
        "same_bytes": [json.loads(line) for line in lines_of(work / "same.jsonl")],
        "bench": {name: json_of(work / f"bench-{name}.json") for name in ("paper", "agnews-diffusion")},
        "launches": launches_of(work),
        "answers": json_of(work / "answers.json"),
        "tests": {name: dict(zip(("passed", "skipped", "failed"), map(int, counts))) for name, *counts in tests},
        "peers": [json.loads(line) for line in lines_of(work / "peers.jsonl")],
        "epochs": {},
    }
    for name in ("fp32", "auto", *PAPER):
        if lines := epochs_of(work / name):
            report["epochs"][name] = lines
        if result := json_of(work / name / "test.json"):
            report["epochs"][name + "_test"] = result
    return report


def main() -> None:
    parts = ("operations", "epochs", "bench", "paper", "launches", "answers", "transformers", "json")
    if len(sys.argv) != 3 or sys.argv[1] not in parts:
        sys.exit(__doc__)
    part, work = sys.argv[1], pathlib.Path(sys.argv[2])
    report = report_of(work)
    if part == "json":
        print(json.dumps(report, indent=1))
    elif part == "operations":
        print_operations(work)
    elif part == "epochs":
        print_runs(work, ["fp32", "auto"])
    elif part == "paper":
        print_runs(work, PAPER)
    elif part == "launches":
        print_launches(work)
    elif part == "answers":
        print_answers(work)
    elif part == "bench":
        for bench in filter(None, report["bench"].values()):
            print_bench(bench)
    elif report["peers"]:
        print_peers(report["peers"])


if __name__ == "__main__":
    main()
