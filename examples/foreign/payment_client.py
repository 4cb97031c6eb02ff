#!/usr/bin/env python3
"""A program that charges for a till through WeChat Pay or Alipay, after docs/payments-client.md.

    python3 payment_client.py PLATFORM_PORT NOTIFY_PORT TILL_PORT DIR [--divide-timers N] [--defect NAME]

DIR/client.json has names and keys and says through which face it calls; DIR/journal.jsonl is what it has decided, one
line each, written before anybody is told; DIR/ledger.jsonl shows the books. A thread for each order does what the decision
table says, step by step.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import socket
import threading
import time

from payment_faces import FACES

DEFECTS = (
    "charges-again", "takes-silence-for-failure", "gives-up", "undoes-once", "asks-often", "no-watch", "forgets",
    "books-twice", "answers-other", "signs-in-part", "skips-answer-signature", "skips-answer-amount",
    "skips-notice-signature", "skips-notice-amount",
)
CALL_TIMEOUT, RECONNECT, CONNECT_WINDOW = 10.0, 1.0, 15.0
QUERY_GAP, PAY_WINDOW, SCAN_WINDOW, UNDO_AFTER, CLOSE_AFTER = 5.2, 45.0, 310.0, 15.3, 301.0
AGAIN_AFTER, WATCH_GAP, WATCH = 3.0, 30.0, 120.0
PORT_WITHIN = 20.0
OVER = ("paid", "dead", "refunded")


def bound(make):
    """A port of one's own; whoever has it for a moment, on the way to somebody else, is waited for."""
    end = time.monotonic() + PORT_WITHIN
    while True:
        try:
            return make()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class Order:
    def __init__(self, sale, attempt, fen, code):
        self.sale, self.attempt, self.fen, self.code = sale, attempt, fen, code
        self.number = f"F{sale:05}N{attempt}"
        self.state, self.booked = "open", 0
        self.changed = threading.Event()


class Client:
    def __init__(self, args):
        self.args, self.dir = args, pathlib.Path(args.dir)
        settings = json.loads((self.dir / "client.json").read_text())
        self.face = FACES[settings["face"]](settings, self.dir, args.defect)
        self.alipay = settings["face"] == "alipay"
        self.lock = threading.RLock()
        self.orders, self.sales, self.till = {}, {}, None
        self.unwanted = set()
        self.journal = None

    # Time and books.

    def span(self, seconds):
        return seconds / self.args.divide_timers

    def pause(self, order, seconds):
        """Waits, but not for what has come to its end meanwhile, or what the till has given up."""
        order.changed.clear()
        if order.state == "open" and order.sale not in self.unwanted:
            order.changed.wait(self.span(seconds))

    def enter(self, order, state):
        with self.lock:
            if order.state == state and not (state == "paid" and self.args.defect == "books-twice"):
                return False
            self.write({"order": order.number, "state": state})
            self.became(order, state)
            self.show()
        order.changed.set()
        return True

    def became(self, order, state):
        order.state = state
        order.booked += state == "paid"

    def write(self, entry):
        self.journal.write(json.dumps(entry) + "\n")
        self.journal.flush()
        os.fsync(self.journal.fileno())

    def show(self):
        lines = [
            json.dumps({"order": o.number, "sale": o.sale, "amount_fen": o.fen, "state": o.state, "booked": o.booked})
            for o in self.orders.values()
        ]
        part = self.dir / "ledger.part"
        part.write_text("".join(line + "\n" for line in lines))
        part.rename(self.dir / "ledger.jsonl")

    def add(self, order):
        self.orders[order.number] = order
        self.sales.setdefault(order.sale, []).append(order)

    def start(self):
        path = self.dir / "journal.jsonl"
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if "sale" in entry:
                self.add(Order(entry["sale"], entry["attempt"], entry["fen"], entry["code"]))
            else:
                self.became(self.orders[entry["order"]], entry["state"])
        self.journal = path.open("a")
        self.show()
        for order in list(self.orders.values()) if self.args.defect != "forgets" else []:
            threading.Thread(target=self.resume, args=(order,), daemon=True).start()

    def resume(self, order):
        """Goes on with an order of before; when it was made is not known, so it counts as made now."""
        began = time.monotonic()
        if order.state == "open":
            self.follow(order, began, asks=True)
        elif order.state == "undoing":
            self.undo(order, began)
        elif order.state == "refunding":
            self.refund(order)
        elif order.state == "dead":
            self.watch(order)

    # Calls.

    def call(self, kind, order):
        """One call; `unreached` if the platform certainly does not have it."""
        method, target, headers, body = self.face.call(kind, order)
        there = http.client.HTTPConnection("127.0.0.1", self.args.platform, timeout=self.span(CALL_TIMEOUT))
        try:
            there.connect()
        except OSError:
            return "unreached", ""
        try:
            there.request(method, target, body, headers)
            answer = there.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return self.face.read(kind, order, answer.status, told, answer.read())
        except (OSError, http.client.HTTPException):
            return "unknown", "no answer"
        finally:
            there.close()

    def make(self, kind, order):
        """A call that makes an order, tried while it has never reached the platform."""
        end = time.monotonic() + self.span(CONNECT_WINDOW)
        while True:
            word, more = self.call(kind, order)
            if word != "unreached" or time.monotonic() > end:
                return word, more
            self.pause(order, RECONNECT)

    # The decision table.

    def charge(self, order):
        began = time.monotonic()
        word, more = self.make("pay", order)
        if word == "paid":
            return self.paid(order)
        if word in ("refused", "closed", "unreached"):
            return self.dead(order, more or "unreachable")
        if word == "unknown" and self.args.defect == "charges-again" and order.attempt < 3:
            self.enter(order, "dead")
            return self.open(order.sale, order.fen, order.code)
        if word == "unknown" and self.args.defect == "takes-silence-for-failure":
            return self.dead(order, "no answer")
        return self.follow(order, began, asks=True)

    def offer(self, order):
        began = time.monotonic()
        while order.state == "open":
            word, more = self.make("precreate", order)
            if word == "offered":
                self.tell(order, "show", more)
                break
            if word in ("refused", "closed"):
                return self.dead(order, more)
            if word == "order-paid":
                break
            time.sleep(self.span(AGAIN_AFTER))
        return self.follow(order, began, asks=True)

    def follow(self, order, began, asks):
        """Asks until the end is known or the time is over."""
        window = PAY_WINDOW if order.code else SCAN_WINDOW
        gap = 1.0 if self.args.defect == "asks-often" else QUERY_GAP
        while order.state == "open" and order.sale not in self.unwanted:
            self.pause(order, gap)
            if order.state != "open" or order.sale in self.unwanted:
                break
            word, more = self.call("query", order)
            if word == "paid":
                return self.paid(order)
            if word == "dead":
                return self.dead(order, more, watched=True)
            if time.monotonic() + self.span(gap) > began + self.span(window):
                break
        if order.state == "open":
            if self.args.defect == "gives-up":
                return self.dead(order, "time over")
            self.enter(order, "undoing")
            self.undo(order, began)

    def undo(self, order, began):
        kind = "cancel" if order.code else "close"
        first = began + self.span(UNDO_AFTER if order.code else CLOSE_AFTER)
        time.sleep(max(0.0, first - time.monotonic()))
        while order.state == "undoing":
            word, _ = self.call(kind, order)
            if kind == "close" and self.alipay and word in ("gone", "unknown"):
                # What nobody has scanned is no trade there; a cancel undoes it all the same.
                kind = "cancel"
                continue
            if word == "order-paid":
                return self.late(order)
            if word in ("done", "gone", "closed") or self.args.defect == "undoes-once":
                return self.dead(order, "undone", watched=True)
            time.sleep(self.span(AGAIN_AFTER))

    def watch(self, order):
        end = time.monotonic() + self.span(WATCH)
        while self.args.defect != "no-watch" and order.state == "dead" and time.monotonic() < end:
            time.sleep(self.span(WATCH_GAP))
            if self.call("query", order)[0] == "paid":
                self.late(order)

    def late(self, order):
        if self.enter(order, "refunding"):
            self.refund(order)

    def refund(self, order):
        while order.state == "refunding":
            if self.call("refund", order)[0] == "done":
                self.enter(order, "refunded")
                self.tell(order, "failed", "refunded")
            else:
                time.sleep(self.span(AGAIN_AFTER))

    def paid(self, order):
        with self.lock:
            if order.state in ("undoing", "dead"):
                return threading.Thread(target=self.late, args=(order,), daemon=True).start()
            if order.state in ("open", "paid") and self.enter(order, "paid"):
                self.tell(order, "paid", "")

    def dead(self, order, why, watched=False):
        if self.enter(order, "dead"):
            self.tell(order, "failed", why)
        if watched:
            self.watch(order)

    # The till.

    def tell(self, order, word, more):
        if order is self.sales[order.sale][-1] and self.till:
            try:
                self.till.sendall(f"{word} {order.sale} {more}".rstrip().encode() + b"\n")
            except OSError:
                pass

    def open(self, sale, fen, code):
        with self.lock:
            order = Order(sale, len(self.sales.get(sale, ())) + 1, fen, code)
            self.write({"sale": sale, "attempt": order.attempt, "fen": fen, "code": code})
            self.add(order)
            self.show()
        threading.Thread(target=self.charge if code else self.offer, args=(order,), daemon=True).start()

    def line(self, words):
        if words[0] == "cancel":
            order = self.sales[int(words[1])][-1]
            self.unwanted.add(order.sale)
            return order.changed.set()
        sale, fen, code = int(words[1]), int(words[2]), words[3] if words[0] == "charge" else None
        tries = self.sales.get(sale)
        if not tries:
            return self.open(sale, fen, code)
        order = tries[-1]
        if fen != order.fen or bool(code) != bool(order.code):
            return None
        if order.state == "paid":
            return self.tell(order, "paid", "")
        if order.state in OVER:
            return self.tell(order, "failed", order.state) if order.code == code else self.open(sale, fen, code)
        return self.tell(order, "wait", "")

    def serve_till(self, port):
        with bound(lambda: socket.create_server(("127.0.0.1", port))) as door:
            print("ready", flush=True)
            while True:
                self.till, _ = door.accept()
                with self.till, self.till.makefile("r", errors="replace") as lines:
                    try:
                        for line in lines:
                            try:
                                self.line(line.split())
                            except (ValueError, IndexError, KeyError):
                                continue
                    except OSError:
                        pass
                self.till = None

    # Notifications.

    def notified(self, headers, body):
        number = self.face.notice(headers, body, lambda number: getattr(self.orders.get(number), "fen", None))
        order = self.orders.get(number)
        if order:
            self.paid(order)
        if order and self.args.defect == "answers-other":
            return 202, b"OK"
        return self.face.receipt(order is not None)

    def serve_notices(self, port):
        client = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, answer = client.notified({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(status)
                if answer:
                    self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        server = bound(lambda: http.server.ThreadingHTTPServer(("127.0.0.1", port), Door))
        threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    for name in ("platform", "notify", "till"):
        parser.add_argument(name, type=int)
    parser.add_argument("dir")
    parser.add_argument("--divide-timers", type=float, default=1.0)
    parser.add_argument("--defect", choices=DEFECTS)
    args = parser.parse_args()
    client = Client(args)
    client.start()
    client.serve_notices(args.notify)
    client.serve_till(args.till)


main()
