#!/usr/bin/env python3
"""What scripts/gpu_report.sh has measured, from the files in its work folder.

Usage: gpu_report_tables.py PART FOLDER

PART is operations, epochs, bench, paper, launches, answers or transformers, for a table of it in Markdown, or json, for all.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

# What the figures are to be on an H200 or H100.
MOST_EPOCH_S = 0.4  # agnews-diffusion.json
MOST_STEP_MS = {("paper", 64, 128): 0.6}  # in bf16 or tf32
LEAST_TIMES = {  # DistilBERT's step takes, in its best precision
    ("paper", 64, 128): 20,
    ("paper", 64, 512): 25,
    ("agnews-diffusion", 64, 128): 50,
    ("agnews-diffusion", 64, 512): 100,
}
LEAST_OF_COPY = 0.5
MOST_ALLOCATED_MB = 150
MOST_ANSWER_US = 100

# The paper's Table 1: 120,000 rows an epoch, 30 s in FP32 on a T4, 17 s in mixed precision on an A100.
PAPER_ROWS = 120_000
PAPER_S = {"fp32": "30 s (T4)", "half": "17 s (A100)"}
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


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


def case_of(bench: dict[str, Any], case: dict[str, Any]) -> tuple[str, int, int] | None:
    """What the targets of a training step are listed by."""
    if case["mode"] != "train":
        return None
    return bench["models"][0]["name"], case["batch_size"], case["seq_len"]


def print_bench(bench: dict[str, Any]) -> None:
    print(f"\n{bench['models'][0]['name']} against {bench['models'][1]['name']}\n")
    print("| case | ours | target | other | times as long | target | times the memory |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for case in bench["cases"]:
        other = case["models"][1]
        time, memory = other.get("time_ratio"), other.get("memory_ratio")
        which = case_of(bench, case)
        most = f"≤ {MOST_STEP_MS[which]} ms" if which in MOST_STEP_MS else ""
        least = f"≥ {LEAST_TIMES[which]}" if which in LEAST_TIMES else ""
        print(
            f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {best(case, 0)} | {most} | {best(case, 1)} "
            f"| {format(time['value'], '.3g') if time else ''} | {least} | {format(memory, '.3g') if memory else ''} |"
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
    print(f"\nTarget: at least {100 * LEAST_OF_COPY:.0f} % of the bandwidth of a copy.\n")
    print("| operation | time | GB/s | of a copy | |")
    print("|---|---:|---:|---:|---|")
    for one in selftest["speeds"]:
        print(
            f"| {one['operation']} | {1e6 * one['time_s']:.1f} us | {one['bytes_per_s'] / 1e9:.0f} "
            f"| {100 * one['of_copy']:.0f} % | {'less' if one['of_copy'] < LEAST_OF_COPY else ''} |"
        )


def epochs_of(run: pathlib.Path) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, lines_of(run / "metrics.jsonl")) if line["type"] == "epoch"]


def memory_of(run: pathlib.Path, line: dict[str, Any]) -> tuple[str, str, str]:
    """Allocated at most, estimated (in the run's manifest), the one as a part of the other. A CPU tells of no allocation."""
    allocated = line["peak_memory_bytes"]["device_allocated"]
    estimated = (json_of(run / "manifest.json") or {}).get("memory_estimate_bytes")
    return (
        f"{allocated / 1e6:.0f} MB" if allocated else "",
        f"{estimated / 1e6:.0f} MB" if estimated else "",
        f"{allocated / estimated:.2f}" if allocated and estimated else "",
    )


def print_epochs(work: pathlib.Path) -> None:
    print(
        f"Targets: at most {MOST_EPOCH_S} s an epoch (the second; the first records what is launched) "
        f"and {MOST_ALLOCATED_MB} MB allocated.\n"
    )
    print("| precision | epoch | seconds an epoch | allocated | estimated | of the estimate | test accuracy |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in PRECISIONS:
        lines = epochs_of(work / name)
        test = json_of(work / name / "test.json")
        for line in lines:
            accuracy = f"{100 * test['accuracy']:.2f} %" if test and line is lines[-1] else ""
            allocated, estimated, part = memory_of(work / name, line)
            print(
                f"| {name} | {line['epoch']:.3g} | {line['epoch_time_s']:.3f} "
                f"| {allocated} | {estimated} | {part} | {accuracy} |"
            )


def print_paper(work: pathlib.Path) -> None:
    """The last epoch of each run beside the paper's."""
    rows = int(next(iter(lines_of(work / "rows.txt")), "0"))
    print(
        f"The second epoch (the first records what is launched) of {rows:,} rows; in the next column by rule of three for the "
        f"paper's {PAPER_ROWS:,}. The paper's seconds are of its own machines.\n"
    )
    print(f"| model | precision | seconds an epoch | for {PAPER_ROWS:,} rows | the paper | allocated | estimated | of the estimate |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for config, precision in PAPER:
        run = work / f"{config}-{precision}"
        if not (lines := epochs_of(run)):
            continue
        seconds = lines[-1]["epoch_time_s"]
        scaled = f"{seconds * PAPER_ROWS / rows:.3f}" if rows else ""
        which = f"{seconds:.3f}" if len(lines) > 1 else f"{seconds:.3f} (the first)"
        paper = PAPER_S["fp32" if precision == "fp32" else "half"]
        print(f"| {config} | {precision} | {which} | {scaled} | {paper} | {' | '.join(memory_of(run, lines[-1]))} |")


CALLS = ("operations", "kernel_launches", "graph_launches", "copies", "memsets", "synchronisations", "on_the_device")


def launches_of(work: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(work / "launches.jsonl")]


def print_launches(work: pathlib.Path) -> None:
    print(
        "Calls an update of 32 texts of 64 tokens: by this program's operations, and before, by LibTorch's (reference). "
        "Operations are counted by hooks; a device's own calls, where there is one, by LibTorch's profiler. "
        "No report (train.log_every), which the host waits at, falls among these updates: what one adds has its own line.\n"
    )
    print("| of | kernel | " + " | ".join(call.replace("_", " ") for call in CALLS) + " |")
    print("|---|---|" + "---:|" * len(CALLS))
    for one in launches_of(work):
        what = one["config"] if one["of"] == "update" else f"a report, {one['config']}"
        figures = " | ".join(f"{one[call]:.4g}" if call in one else "" for call in CALLS)
        print(f"| {what} | {one['kernel']} | {figures} |")


def microseconds(case: dict[str, Any], model: int) -> str:
    ran = [m for m in case["models"][model]["measurements"] if "median_s" in m]
    if not ran:
        return best(case, model)
    fastest = min(ran, key=lambda m: m["median_s"])
    return f"{1e6 * fastest['median_s']:.0f} us (p95 {1e6 * fastest['p95_s']:.0f}, {fastest['precision']})"


def print_answers(work: pathlib.Path) -> None:
    print(f"Target: less than {MOST_ANSWER_US} us.\n")
    answers, warm = json_of(work / "answers.json"), json_of(work / "warm.json")
    if answers is not None:
        print("The forward pass alone of one text, the logits on the host, by `diffuse bench`:\n")
        print("| text | LibTorch's operations | as `predict` does |")
        print("|---|---:|---:|")
        for case in answers["cases"]:
            print(f"| {case['seq_len']} tokens | {microseconds(case, 0)} | {microseconds(case, 1)} |")
    if warm is not None:
        print(
            f"\nA whole answer of a warm process of `predict`, from a text of AG News in its pipe to the answer in the other: "
            f"{1e6 * warm['median_s']:.0f} us (p95 {1e6 * warm['p95_s']:.0f}; {warm['answers']} answers)."
        )


PAPER = [(config, precision) for config in ("paper", "paper-notebook") for precision in PRECISIONS]


def report_of(work: pathlib.Path) -> dict[str, Any]:
    tests = [line.split() for line in lines_of(work / "tests.txt")]
    report: dict[str, Any] = {
        "version": json_of(work / "version.json"),
        "selftest": json_of(work / "selftest.json"),
        "same_bytes": [json.loads(line) for line in lines_of(work / "same.jsonl")],
        "bench": {name: json_of(work / f"bench-{name}.json") for name in ("paper", "agnews-diffusion")},
        "launches": launches_of(work),
        "answers": json_of(work / "answers.json"),
        "warm_predict": json_of(work / "warm.json"),
        "paper_rows": int(next(iter(lines_of(work / "rows.txt")), "0")),
        "tests": {name: dict(zip(("passed", "skipped", "failed"), map(int, counts))) for name, *counts in tests},
        "peers": [json.loads(line) for line in lines_of(work / "peers.jsonl")],
        "epochs": {},
        "memory_estimate_bytes": {},
    }
    for name in (*PRECISIONS, *(f"{config}-{precision}" for config, precision in PAPER)):
        if lines := epochs_of(work / name):
            report["epochs"][name] = lines
        if estimate := (json_of(work / name / "manifest.json") or {}).get("memory_estimate_bytes"):
            report["memory_estimate_bytes"][name] = estimate
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
        print_epochs(work)
    elif part == "paper":
        print_paper(work)
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
