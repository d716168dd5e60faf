#!/usr/bin/env python3
"""What scripts/gpu_report.sh has measured, from the files in its work folder.

Usage: gpu_report_tables.py markdown|json FOLDER
"""

import json
import pathlib
import sys
from typing import Any


def lines_of(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def json_of(path: pathlib.Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def best(case: dict[str, Any], side: str) -> str:
    ran = [m for m in case[side] if "median_s" in m]
    if not ran:
        return case[side][0].get("not_run", "")
    fastest = min(ran, key=lambda m: m["median_s"])
    return f"{1000 * fastest['median_s']:.4g} ms ({fastest['precision']})"


def tried(case: dict[str, Any], side: str) -> str:
    return ", ".join(
        f"{one['precision']} {'~' if one['estimated'] else ''}{1000 * one['call_s']:.4g}"
        for one in case[side + "_tried"]
        if one["call_s"] is not None
    )


def print_bench(bench: dict[str, Any]) -> None:
    print(f"\n{bench['ours']['name']} against {bench['other']['name']}\n")
    print("| case | ours | other | times as long | times the memory |")
    print("|---|---:|---:|---:|---:|")
    for case in bench["cases"]:
        time, memory = case.get("time_ratio"), case.get("memory_ratio")
        print(
            f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {best(case, 'ours')} | {best(case, 'other')} "
            f"| {format(time['value'], '.3g') if time else ''} | {format(memory, '.3g') if memory else ''} |"
        )
    print("\nPrecisions tried, ms a call (~: estimated from a smaller call):\n")
    print("| case | ours | other |")
    print("|---|---|---|")
    for case in bench["cases"]:
        print(f"| {case['mode']} {case['batch_size']} x {case['seq_len']} | {tried(case, 'ours')} | {tried(case, 'other')} |")
    print(f"\n{bench['sentence']}")
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


def report_of(work: pathlib.Path) -> dict[str, Any]:
    tests = [line.split() for line in lines_of(work / "tests.txt")]
    report: dict[str, Any] = {
        "version": json_of(work / "version.json"),
        "tests": {name: dict(zip(("passed", "skipped", "failed"), map(int, counts))) for name, *counts in tests},
        "bench": json_of(work / "bench.json"),
        "peers": [json.loads(line) for line in lines_of(work / "peers.jsonl")],
        "epochs": {},
        "notes": [line.removeprefix("- ") for line in lines_of(work / "notes.txt")],
    }
    for metrics in sorted(work.glob("*/metrics.jsonl")):
        name = metrics.parent.name
        report["epochs"][name] = [line for line in map(json.loads, lines_of(metrics)) if line["type"] == "epoch"]
        if result := json_of(metrics.parent / "test.json"):
            report["epochs"][name + "_test"] = result
    return report


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in ("markdown", "json"):
        sys.exit(__doc__)
    report = report_of(pathlib.Path(sys.argv[2]))
    if sys.argv[1] == "json":
        print(json.dumps(report, indent=1))
        return
    if report["bench"]:
        print_bench(report["bench"])
    if report["peers"]:
        print_peers(report["peers"])


if __name__ == "__main__":
    main()
