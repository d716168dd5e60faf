"""scripts/watch_memory.py: anonymous memory is told apart from mapped files, the command stays itself."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop()).resolve()
SCRIPT = PROJECT / "scripts" / "watch_memory.py"


def watch(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def figures(text):
    found = re.search(r"anonymous at most (\d+) MB.*resident at most (\d+) MB", text)
    return int(found[1]), int(found[2])


class WatchMemory(unittest.TestCase):
    def test_anonymous_memory_and_mapped_files_are_told_apart(self):
        taken = watch(sys.executable, "-c", "import time; data = bytearray(90 << 20); time.sleep(0.5); print('done')")
        self.assertEqual((taken.returncode, taken.stdout), (0, "done\n"))
        anonymous, resident = figures(taken.stderr)
        self.assertGreater(anonymous, 90)
        self.assertGreaterEqual(resident, anonymous)
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(90 << 20))
            file.flush()
            code = ("import mmap, time\n"
                    f"file = open({file.name!r}, 'rb')\n"
                    "data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)\n"
                    "total = sum(data[place] for place in range(0, len(data), 4096)); time.sleep(0.5)")
            anonymous, resident = figures(watch(sys.executable, "-c", code).stderr)
        self.assertLess(anonymous, 60)
        self.assertGreater(resident, 90)

    def test_the_exit_code_is_the_commands(self):
        self.assertEqual(watch("sh", "-c", "sleep 0.2; exit 7").returncode, 7)
        self.assertEqual(watch("sh", "-c", "kill -TERM $$").returncode, 143)
        missing = watch("/no/such/program")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("/no/such/program: No such file or directory", missing.stderr)
        self.assertIn("there is no command to run", watch().stderr)

    def test_lines_come_while_it_runs(self):
        self.assertRegex(watch("--each", "0.1", "sleep", "0.6").stderr, r"memory: \d+ s, anonymous \d+ MB, resident")


if __name__ == "__main__":
    unittest.main()
