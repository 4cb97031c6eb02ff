"""What the shops in Python share: the desk's interface, and a door that notifications come to."""

import http.server
import json
import queue
import ssl
import threading
import time
import urllib.request

PATIENCE_S = 20


class Desk:
    """The person at the served platforms' desk."""

    def __init__(self, base, house, merchant):
        self.base, self.house, self.merchant = base, house, merchant

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/assay/api/{path}", data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def code(self, payer):
        return self.ask("codes", {"house": self.house, "payer": payer})["code"]

    def act(self, act, number, **more):
        return self.ask("act", {"act": act, "house": self.house, "merchant": self.merchant, "order": number, **more})


class Door:
    """An address for notifications: each one is kept, and answered with what `answers` has next. With a certificate and
    its key it is one over TLS."""

    def __init__(self, answers, keys=None):
        self.came = queue.Queue()
        rest = list(answers)
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status, answer = rest.pop(0) if len(rest) > 1 else rest[0]
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                came.put((dict(self.headers.items()), body))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if keys:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*keys)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"{'https' if keys else 'http'}://127.0.0.1:{self.server.server_port}/paid"

    def next(self):
        return self.came.get(timeout=PATIENCE_S)

    def quiet(self, seconds):
        time.sleep(seconds)
        assert self.came.empty(), f"one more came: {self.came.get()}"


def certified(base, keys):
    """The certificate of a shop's own server and its key, where the platforms are reached over TLS."""
    return (keys / "shop.pem", keys / "shop-key.pem") if base.startswith("https:") else None


def until(look, good):
    """Asks again until the answer is good."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = look()
        if good(answer):
            return answer
        assert time.monotonic() < end, f"it stays {answer}"
        time.sleep(0.2)


def expect(actual, expected, what):
    assert actual == expected, f"{what}: {actual!r} in place of {expected!r}"
