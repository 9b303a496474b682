#!/usr/bin/env python3
"""The supplier's books: customers, PINs, power cuts; all of it made up. Standard library only.

    python3 service.py [--port 8901]
"""

import argparse
import hmac
import json
import secrets
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CUSTOMERS = {"4711": {"pin": "2580", "balance": "minus twelve euros and forty cents"}}
OUTAGES = {"mill lane": "a cable was dug up; power is expected back at four in the afternoon"}
MOST_TRIES = 3


class Handler(BaseHTTPRequestHandler):
    tokens = {}
    tries = {}

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def target(self):
        url = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in url.path.split("/") if part]
        return parts, dict(urllib.parse.parse_qsl(url.query))

    def do_POST(self):
        parts, _ = self.target()
        if len(parts) != 3 or parts[0] != "customers" or parts[2] != "pin":
            return self.answer(404, {"error": "there is nothing here"})
        try:
            pin = str(json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 65536)))["pin"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "a pin is needed"})
        customer = parts[1]
        self.tries[customer] = self.tries.get(customer, 0) + 1
        if self.tries[customer] > MOST_TRIES:
            return self.answer(429, {"error": "too many tries; the account is locked until tomorrow"})
        known = CUSTOMERS.get(customer)
        if known is None or not hmac.compare_digest(known["pin"], pin):
            return self.answer(403, {"error": "customer number and PIN do not belong together"})
        self.tries[customer] = 0
        self.tokens[customer] = secrets.token_hex(8)
        return self.answer(200, {"token": self.tokens[customer]})

    def do_GET(self):
        parts, query = self.target()
        if parts == ["outages"]:
            return self.answer(200, {"known": OUTAGES.get(query.get("street", "").lower(), "nothing is known")})
        if len(parts) == 3 and parts[0] == "customers" and parts[2] == "balance":
            token = self.tokens.get(parts[1])
            if token is None or not hmac.compare_digest(token, query.get("token", "")):
                return self.answer(403, {"error": "the PIN has to be checked first"})
            return self.answer(200, {"balance": CUSTOMERS[parts[1]]["balance"]})
        return self.answer(404, {"error": "there is nothing here"})

    def log_message(self, format, *arguments):
        # Neither PINs nor tokens.
        print(f"{self.command} {urllib.parse.urlsplit(self.path).path}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8901)
    ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()


if __name__ == "__main__":
    main()
