"""Tests of fetch-package against a package index on this machine that misbehaves in the ways real ones do.

usage: python3 scripts/fetch_package_test.py
"""

import functools
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-package")
CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = "some_thing-1.0-py3-none-any.whl"


class Index(http.server.BaseHTTPRequestHandler):
    """A simple index with one project; `behaviour` and `requests` are the test's."""

    protocol_version = "HTTP/1.1"

    def __init__(self, behaviour, requests, *arguments):
        self.behaviour, self.requests = behaviour, requests
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.requests.append((self.path, self.headers.get("Range")))
        if self.path == "/simple/some-thing/":
            self.answer_index()
        elif self.path == "/files/" + FILE:
            self.answer_file()
        else:
            self.send_error(404)

    def answer_index(self):
        if "json" in self.behaviour:
            body = json.dumps({"files": [{"filename": FILE, "url": "../../files/" + FILE}]}).encode()
            self.reply(200, body, {"Content-Type": "application/vnd.pypi.simple.v1+json"})
        else:
            body = '<a href="/files/{0}#sha256=0">{0}</a><a href="other">other</a>'.format(FILE).encode()
            self.reply(200, body, {"Content-Type": "text/html"})

    def answer_file(self):
        asked = self.headers.get("Range")
        start = int(asked[len("bytes="):-1]) if asked and "no ranges" not in self.behaviour else 0
        body = CONTENT[start:]
        if start >= len(CONTENT):
            return self.reply(416, b"", {"Content-Range": "bytes */%d" % len(CONTENT)})
        headers = {"Content-Range": "bytes %d-%d/%d" % (start, len(CONTENT) - 1, len(CONTENT))} if start else {}
        if "cut" in self.behaviour and sum(path.startswith("/files/") for path, _ in self.requests) == 1:
            self.reply(200, body, headers, sent=len(body) // 2)
            self.close_connection = True
            return None
        return self.reply(206 if start else 200, body, headers)

    def reply(self, status, body, headers, sent=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])


class FetchPackage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = os.path.join(self.folder, "here", "file.whl")
        self.requests = []

    def fetch(self, *behaviour, digest=DIGEST, file_name=FILE, **environment):
        handler = functools.partial(Index, behaviour, self.requests)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("PIP_") and not name.lower().endswith("_proxy")}
        kept.update(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:%d/simple" % server.server_port)
        kept.update(environment)
        try:
            return subprocess.run([sys.executable, PROGRAM, "some_thing", file_name, digest, self.target], env=kept,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def begin(self, count, content=CONTENT):
        os.makedirs(os.path.dirname(self.target))
        with open(self.target + ".part", "wb") as part:
            part.write(content[:count])

    def assert_arrived(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.target, "rb") as stream:
            self.assertEqual(stream.read(), CONTENT)
        self.assertEqual(os.listdir(os.path.dirname(self.target)), ["file.whl"])

    def ranges(self):
        return [asked for path, asked in self.requests if path.startswith("/files/")]

    def test_an_html_index_is_read(self):
        self.assert_arrived(self.fetch())

    def test_a_json_index_is_read(self):
        self.assert_arrived(self.fetch("json"))

    def test_a_partial_file_is_continued_where_it_stopped(self):
        self.begin(1000)
        self.assert_arrived(self.fetch())
        self.assertEqual(self.ranges(), ["bytes=1000-"])

    def test_a_server_without_ranges_sends_the_whole_file_again(self):
        self.begin(1000)
        self.assert_arrived(self.fetch("no ranges"))

    def test_a_connection_that_is_cut_is_continued(self):
        self.assert_arrived(self.fetch("cut"))
        self.assertEqual(self.ranges(), [None, "bytes=%d-" % (len(CONTENT) // 2)])

    def test_a_complete_partial_file_is_renamed(self):
        self.begin(len(CONTENT))
        self.assert_arrived(self.fetch())

    def test_a_partial_file_that_is_too_long_is_fetched_again(self):
        self.begin(len(CONTENT) + 10, CONTENT + bytes(10))
        self.assert_arrived(self.fetch())

    def test_a_file_in_place_is_not_fetched(self):
        self.fetch()
        self.requests.clear()
        self.assert_arrived(self.fetch())
        self.assertEqual(self.requests, [])

    def test_a_find_links_folder_needs_no_index(self):
        with open(os.path.join(self.folder, FILE), "wb") as stream:
            stream.write(CONTENT)
        self.assert_arrived(self.fetch(PIP_FIND_LINKS=self.folder, PIP_NO_INDEX="1"))
        self.assertEqual(self.requests, [])

    def test_wrong_bytes_never_appear_under_the_name(self):
        done = self.fetch(digest="0" * 64)
        self.assertEqual(done.returncode, 69)
        self.assertEqual(os.listdir(os.path.dirname(self.target)), [])
        self.assertEqual(done.stderr.count("error:"), 1)

    def test_a_partial_file_with_wrong_bytes_is_deleted(self):
        self.begin(1000, bytes(2000))
        self.assertEqual(self.fetch().returncode, 69)
        self.assert_arrived(self.fetch())

    def test_a_file_that_is_nowhere_is_one_sentence(self):
        done = self.fetch(PIP_NO_INDEX="1", PIP_FIND_LINKS=self.folder)
        self.assertEqual(done.returncode, 69)
        self.assertRegex(done.stderr, r"\Aerror: .*\.\n\Z")

    def test_a_file_that_the_index_lacks_is_one_sentence(self):
        done = self.fetch("json", file_name="other-2.0.whl")
        self.assertEqual(done.returncode, 69)
        self.assertRegex(done.stderr, r"\Aerror: .*\.\n\Z")


if __name__ == "__main__":
    unittest.main()
