#!/usr/bin/env python3
"""Runs a command and tells what memory it took: the highest anonymous memory (RssAnon) of the process, its highest
resident memory (VmHWM, with the pages of mapped files, which the system takes back when it needs them), and both at its
end. With --each SECONDS a line of both while it runs. What the command prints stays as it is; the figures go to stderr.

    scripts/watch_memory.py --each 5 diffuse train --config agnews-diffusion.json --train 'large/part-*.csv'
"""

import argparse
import subprocess
import sys
import time


def memory_of(pid):
    """MB of each kind; nothing where the process has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status if ":" in line)
        return {name: int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile", "VmRSS", "VmHWM")}
    except (OSError, KeyError, ValueError):
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=float, default=0, help="a line every so many seconds; 0: none")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("there is no command to run")
    start = time.monotonic()
    try:
        process = subprocess.Popen(options.command)
    except OSError as error:
        sys.exit(f"{options.command[0]}: {error.strerror}")
    anonymous, resident, last, told = 0, 0, None, start
    while process.poll() is None:
        now = memory_of(process.pid)
        if now:
            last = now
            anonymous = max(anonymous, now["RssAnon"])
            resident = max(resident, now["VmHWM"])
            if options.each and time.monotonic() - told >= options.each:
                told = time.monotonic()
                print(f"memory: {told - start:.0f} s, anonymous {now['RssAnon']:.0f} MB, resident {now['VmRSS']:.0f} MB",
                      file=sys.stderr, flush=True)
        time.sleep(0.05)
    if last:
        print(f"memory: {time.monotonic() - start:.1f} s; anonymous at most {anonymous:.0f} MB, in the end "
              f"{last['RssAnon']:.0f} MB; resident at most {resident:.0f} MB, in the end {last['VmRSS']:.0f} MB",
              file=sys.stderr)
    sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)


if __name__ == "__main__":
    main()
