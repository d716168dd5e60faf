#!/usr/bin/env python3
"""Tables in Markdown of what build/release/tests/bin/benchmarks measured: each operator fused and in
tensor operations, and which limit of the machine it comes how close to (docs/performance.md).

    OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=1000 build/release/tests/bin/benchmarks \\
        --benchmark_filter='-csv|encode' --benchmark_min_time=0.05 --benchmark_repetitions=5 \\
        --benchmark_enable_random_interleaving=true --benchmark_out=figures.json --benchmark_out_format=json
    scripts/benchmark_tables.py figures.json

Figures are medians of the repetitions; of what several threads do, timed by the clock, those of the best one: beside
other work the median tells how often that was at work.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys
from typing import Any

Figures = dict[str, float]

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What a row shows of one side's repetitions.
FIGURES = ("time", "FLOP/s", "B/s", "of_product", "of_stream", "items_per_second")


def read_runs(path: pathlib.Path) -> dict[tuple[str, str], dict[str, Figures]]:
    """{(table, row): {side: figures}}; side is "fused", "reference" or "" where there is one."""
    samples: dict[tuple[str, str], dict[str, list[Figures]]] = {}
    by_clock = set()
    runs = json.loads(path.read_text())["benchmarks"]
    # Interleaved at random they were not run in the order that they stand in in the sources.
    runs.sort(key=lambda run: (run.get("family_index", 0), run.get("per_family_instance_index", 0)))
    for run in runs:
        if run.get("run_type") != "iteration" or "error_message" in run:
            continue
        clock = "real_time" if run["name"].endswith("/real_time") else "cpu_time"
        table, *parts = run["name"].removesuffix("/real_time").split("/")
        side = ""
        row: list[str] = []
        for part in parts:
            name = {"fused:1": "fused", "fused:0": "reference"}.get(part, part)
            if name in ("fused", "reference"):
                side = name
            else:
                row.append(grouped(name.replace(":", " = ")))
        values: dict[str, Any] = dict(run, time=run[clock] * UNITS[run["time_unit"]])
        key = (table, ", ".join(row))
        figures = {figure: values[figure] for figure in FIGURES if figure in values}
        samples.setdefault(key, {}).setdefault(side, []).append(figures)
        if clock == "real_time":
            by_clock.add(key)
    return {key: {side: best(own) if key in by_clock else medians(own) for side, own in sides.items()}
            for key, sides in samples.items()}


def best(repetitions: list[Figures]) -> Figures:
    return min(repetitions, key=lambda figures: figures["time"])


def medians(repetitions: list[Figures]) -> Figures:
    return {figure: statistics.median(one[figure] for one in repetitions) for figure in repetitions[0]}


def grouped(text: str) -> str:
    return re.sub(r"\d{4,}", lambda number: f"{int(number[0]):,}", text)


def three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def time_text(seconds: float) -> str:
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{three_digits(seconds / scale)} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def share_text(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def rate_text(value: float | None) -> str:
    return "" if value is None else three_digits(value / 1e9)


def row_cells(row: str, sides: dict[str, Figures]) -> list[str]:
    fused = sides.get("fused") or sides.get("")
    reference = sides.get("reference")
    ours = fused or reference or {}
    shares = {limit: ours.get(key) for limit, key in (("products", "of_product"), ("memory", "of_stream"))}
    known = {limit: share for limit, share in shares.items() if share is not None}
    return [row,
            time_text(fused["time"]) if fused else "",
            time_text(reference["time"]) if reference else "",
            f"{reference['time'] / fused['time']:.1f}" if reference and fused else "",
            f"{1e9 / ours['items_per_second']:.1f} ns" if "items_per_second" in ours else "",
            rate_text(ours.get("FLOP/s")), share_text(shares["products"]),
            rate_text(ours.get("B/s")), share_text(shares["memory"]),
            max(known, key=known.get) if len(known) > 1 else ""]


HEADER = ["", "time", "tensor operations", "times as fast", "a token", "GFLOP/s", "of products", "GB/s", "of memory",
          "nearer limit"]


def table_text(rows: list[tuple[str, dict[str, Figures]]]) -> str:
    """Columns that would be empty are left out."""
    cells = [list(HEADER)] + [row_cells(row, sides) for row, sides in rows]
    if any("fused" in sides for _, sides in rows):
        cells[0][1] = "fused"
    kept = [i for i in range(len(HEADER)) if i == 0 or any(line[i] for line in cells[1:])]
    lines = ["| " + " | ".join(line[i] for i in kept) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("---" if i == 0 else "---:" for i in kept) + "|")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=pathlib.Path, help="JSON of the benchmarks")
    options = parser.parse_args()
    tables: dict[str, list[tuple[str, dict[str, Figures]]]] = {}
    for (table, row), sides in read_runs(options.figures).items():
        tables.setdefault(table, []).append((row, sides))
    if not tables:
        sys.exit(f"{options.figures}: holds no figures; expected --benchmark_out of tests/bin/benchmarks.")
    for table, rows in tables.items():
        print(f"### {table[0].upper()}{table[1:]}\n\n{table_text(rows)}\n")


if __name__ == "__main__":
    main()
