"""scripts/check_layers.py on made-up trees."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(sys.argv.pop())


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([sys.executable, PROJECT / "scripts/check_layers.py", folder],
                              capture_output=True, text=True, check=False)


class CheckLayers(unittest.TestCase):
    def test_downwards_is_allowed(self):
        result = check({
            "src/train/a.cpp": '#include "diffuse/base/error.hpp"\n#include <ATen/core/Tensor.h>\n',
            "src/cuda/table.cpp": '#include "device/cuda_table.hpp"\n',
            "include/diffuse/text/t.hpp": '#include "diffuse/text/u.hpp"\n#include <string>\n',
        })
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_upwards_is_a_breach(self):
        result = check({"src/text/a.cpp": '\n#include "diffuse/data/dataset.hpp"\n'})
        self.assertEqual(result.returncode, 1)
        self.assertIn("src/text/a.cpp:2: text includes diffuse/data/dataset.hpp", result.stdout)

    def test_internal_headers_count(self):
        result = check({"src/base/a.cpp": '#include "config/field.hpp"\n'})
        self.assertEqual(result.returncode, 1)

    def test_torch_below_the_tensor_layers_is_a_breach(self):
        result = check({"include/diffuse/data/a.hpp": "#include <ATen/core/Tensor.h>\n"})
        self.assertEqual(result.returncode, 1)
        self.assertIn("include/diffuse/data/a.hpp:1: data is without tensors", result.stdout)

    def test_report_stands_between_eval_and_train(self):
        self.assertEqual(check({
            "include/diffuse/report/a.hpp": '#include "diffuse/eval/metrics.hpp"\n',
            "src/train/a.cpp": '#include "diffuse/report/event_file.hpp"\n',
        }).returncode, 0)
        result = check({"src/report/a.cpp": '#include "diffuse/train/trainer.hpp"\n'
                                            "#include <ATen/core/Tensor.h>\n"})
        self.assertIn("src/report/a.cpp:1: report includes diffuse/train/trainer.hpp", result.stdout)
        self.assertIn("src/report/a.cpp:2: report is without tensors", result.stdout)

    def test_unknown_folder(self):
        result = check({"src/misc/a.cpp": ""})
        self.assertEqual(result.returncode, 1)
        self.assertIn("misc is no layer", result.stdout)

    def test_nothing_there(self):
        self.assertEqual(check({"README.md": ""}).returncode, 1)


if __name__ == "__main__":
    unittest.main()
