"""An event file of ours, read by two programs that share no code with it: a small decoder of TFRecords
and protocol buffers below, and TensorBoard itself where .deps/python has it."""

import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop())
WRITER = pathlib.Path(os.environ["DIFFUSE_BUILD"]) / "tests/bin/write_event_file"
PYTHON = PROJECT / ".deps/python/bin/python"

READ_WITH_TENSORBOARD = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0}).Reload()
tags = events.Tags()
print(json.dumps({tag: [[e.step, e.wall_time, e.value] for e in events.Scalars(tag)]
                  for tag in tags["scalars"]}))
"""


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while data:
        length, check = struct.unpack_from("<QI", data)
        assert check == masked(data[:8]), "checksum of a length"
        record = data[12:12 + length]
        assert struct.unpack_from("<I", data, 12 + length)[0] == masked(record), "checksum of a record"
        yield record
        data = data[16 + length:]


def varint(data):
    value = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, data[place + 1:]
    raise AssertionError("a number that does not end")


def fields(data):
    """A message as {field number: [values]}."""
    found = {}
    while data:
        key, data = varint(data)
        kind = key & 7
        if kind == 0:
            value, data = varint(data)
        elif kind == 1:
            value, data = struct.unpack("<d", data[:8])[0], data[8:]
        elif kind == 2:
            length, data = varint(data)
            value, data = data[:length], data[length:]
        elif kind == 5:
            value, data = struct.unpack("<f", data[:4])[0], data[4:]
        else:
            raise AssertionError(f"wire type {kind}")
        found.setdefault(key >> 3, []).append(value)
    return found


def scalar(event):
    (summary,) = event[5]
    (entry,) = fields(summary)[1]
    value = fields(entry)
    return value[1][0].decode(), event[2][0], event[1][0], value[2][0]


class EventFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name) / "tensorboard"
        result = subprocess.run([WRITER, cls.root], capture_output=True, text=True, check=True)
        cls.first, cls.resumed = map(pathlib.Path, result.stdout.splitlines())

    def test_checksums_and_their_own_check_value(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        for path in (self.first, self.resumed):
            self.assertGreater(len(list(records(path.read_bytes()))), 1)

    def test_version(self):
        event = fields(next(records(self.first.read_bytes())))
        self.assertEqual(event[3], [b"brain.Event:2"])
        self.assertGreater(event[1][0], 1.7e9)

    def test_scalars(self):
        events = [fields(record) for record in records(self.first.read_bytes())][1:]
        found = [scalar(event) for event in events]
        single = lambda value: struct.unpack("<f", struct.pack("<f", value))[0]
        self.assertEqual(found, [
            ("train/loss", 0, 1764043200.25, 1.5),
            ("train/loss", 300, 1764043201.5, single(0.1)),
            ("validation/accuracy", 300, 1764043202, single(0.9184)),
            ("train/größe", 1 << 40, 1764043203, single(-2.5e-7)),
            ("train/grad_norm", 301, 1764043204, math.inf),
        ])

    def test_restart(self):
        event = fields(list(records(self.resumed.read_bytes()))[1])
        self.assertEqual((event[1], event[2]), ([1764043300], [101]))
        self.assertEqual(fields(event[7][0]), {1: [1]})

    def test_a_training(self):
        """The points of a run's file are the lines of its metrics.jsonl."""
        run = pathlib.Path(self.folder.name) / "run"
        rows = pathlib.Path(self.folder.name) / "rows.csv"
        rows.write_text("".join(f"{'ab'[i % 2]},{['the match', 'some rain'][i % 2]} number {i}\n" for i in range(80)))
        subprocess.run([WRITER.parents[2] / "bin/diffuse", "train", "--train", rows, "--out", run, "--threads", "1",
                        "--set", "train.length=12u", "--set", "train.log_every=4", "--set", "train.evaluate_every=6u",
                        "--set", "train.warmup=2u", "--set", "train.tensorboard=true", "--set", "data.cache=false",
                        "--set", "data.validation_fraction=0.05"],
                       capture_output=True, text=True, check=True)
        (path,) = (run / "tensorboard").iterdir()
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        single = lambda value: struct.unpack("<f", struct.pack("<f", value))[0]
        points = {}
        for record in list(records(path.read_bytes()))[1:]:
            tag, step, _, value = scalar(fields(record))
            points.setdefault(tag, {})[step] = value
        for tag, kind, figure in (("train/loss", "train", "loss"), ("train/lr", "train", "lr"),
                                  ("train/grad_norm", "train", "grad_norm")):
            expected = {line["update"]: single(line[figure]) for line in lines if line["type"] == kind}
            self.assertGreater(len(expected), 2)
            self.assertEqual(points[tag], expected)
        expected = {line["update"]: single(line["validation_accuracy"]) for line in lines if line["type"] == "epoch"}
        self.assertEqual(points["validation/accuracy"], expected)
        if self.tensorboard():
            found = self.read_with_tensorboard(run / "tensorboard")
            self.assertEqual({tag: {step: value for step, _, value in found[tag]} for tag in found}, points)

    def test_a_resumed_training(self):
        """The first file holds what came before the stop, the second a restart and what came after it."""
        run = pathlib.Path(self.folder.name) / "resumed"
        rows = pathlib.Path(self.folder.name) / "more.csv"
        rows.write_text("".join(f"{'ab'[i % 2]},{['the match', 'some rain'][i % 2]} number {i}\n" for i in range(80)))
        program = WRITER.parents[2] / "bin/diffuse"
        start = [program, "train", "--train", rows, "--out", run, "--threads", "1", "--set", "train.length=12u",
                 "--set", "train.log_every=1", "--set", "train.warmup=2u", "--set", "train.tensorboard=true",
                 "--set", "data.cache=false", "--set", "train.max_updates=5"]
        resume = [program, "train", "--resume", run, "--set", "train.max_updates=0"]
        for command in (start, resume):
            subprocess.run(command, capture_output=True, text=True, check=True)
        first, second = sorted((run / "tensorboard").iterdir(), key=lambda path: path.stat().st_mtime)
        steps = []
        for path in (first, second):
            events = [fields(record) for record in records(path.read_bytes())]
            self.assertEqual(events[0][3], [b"brain.Event:2"])
            steps.append([s for tag, s, _, _ in map(scalar, (e for e in events if 5 in e)) if tag == "train/loss"])
            restarts = [(event[2], fields(event[7][0])) for event in events if 7 in event]
            self.assertEqual(restarts, [] if path == first else [([6], {1: [1]})])
        self.assertEqual(steps, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11, 12]])

    def test_no_folder(self):
        result = subprocess.run([WRITER, "/dev/null/x"], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr),
                         (1, "/dev/null/x: cannot be created: Not a directory.\n"))

    def tensorboard(self):
        return PYTHON.exists() and not subprocess.run([PYTHON, "-c", "import tensorboard"],
                                                      capture_output=True, check=False).returncode

    def read_with_tensorboard(self, folder):
        result = subprocess.run([PYTHON, "-c", READ_WITH_TENSORBOARD, folder],
                                capture_output=True, text=True, check=True)
        return json.loads(result.stdout)

    def test_tensorboard_reads_it(self):
        if not self.tensorboard():
            self.skipTest(".deps/python with tensorboard is not there")
        found = self.read_with_tensorboard(self.root)
        # The point of update 300 was taken back by the restart at 101.
        self.assertEqual(found["train/loss"], [[0, 1764043200.25, 1.5], [200, 1764043301, 0.75]])
        self.assertIn("train/größe", found)


if __name__ == "__main__":
    unittest.main()
