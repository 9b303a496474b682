#!/usr/bin/env python3
"""The practice's calendar: free times, bookings. Keeps everything in memory. Standard library only.

    python3 service.py [--port 8900]
"""

import argparse
import datetime
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMES = ("08:30", "10:00", "11:30", "14:30", "16:00")


class Calendar:
    def __init__(self):
        self.lock = threading.Lock()
        self.bookings = {}
        self.last = 100

    def free(self, day):
        taken = {booking["time"] for booking in self.bookings.values() if booking["day"] == day}
        return [time for time in TIMES if time not in taken]

    def book(self, day, time, name):
        with self.lock:
            if time not in self.free(day):
                return None
            self.last += 1
            self.bookings[str(self.last)] = {"day": day, "time": time, "name": name}
            return str(self.last)

    def cancel(self, number):
        with self.lock:
            return self.bookings.pop(number, None)


class Handler(BaseHTTPRequestHandler):
    calendar = Calendar()

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def parts(self):
        return [urllib.parse.unquote(part) for part in urllib.parse.urlsplit(self.path).path.split("/") if part]

    def do_GET(self):
        parts = self.parts()
        if len(parts) != 2 or parts[0] != "days":
            return self.answer(404, {"error": "there is nothing here"})
        try:
            day = datetime.date.fromisoformat(parts[1])
        except ValueError:
            return self.answer(400, {"error": f"{parts[1]} is no day; give it as 2026-11-26"})
        if day.weekday() > 4:
            return self.answer(200, {"day": parts[1], "free": [], "note": "closed on weekends"})
        return self.answer(200, {"day": parts[1], "free": self.calendar.free(parts[1])})

    def do_POST(self):
        if self.parts() != ["bookings"]:
            return self.answer(404, {"error": "there is nothing here"})
        try:
            wanted = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 65536)))
            day, time, name = (str(wanted[key]) for key in ("day", "time", "name"))
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "day, time and name are needed"})
        number = self.calendar.book(day, time, name)
        if number is None:
            return self.answer(409, {"error": f"{time} is not free on {day}", "free": self.calendar.free(day)})
        return self.answer(201, {"number": number, "day": day, "time": time, "name": name})

    def do_DELETE(self):
        parts = self.parts()
        booking = self.calendar.cancel(parts[1]) if len(parts) == 2 and parts[0] == "bookings" else None
        if booking is None:
            return self.answer(404, {"error": "there is no such booking"})
        return self.answer(200, {"cancelled": booking})

    def log_message(self, format, *arguments):
        print(f"{self.command} {self.path}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8900)
    ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()


if __name__ == "__main__":
    main()
