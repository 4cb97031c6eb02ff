"""Has the public module usim800 fetch a page over the HTTP service of a served SIM800A.

Arguments: the tool, the profile of the SIM800A, a directory of its own. Prints the status and the page.
"""

import http.server
import pathlib
import signal
import subprocess
import sys
import threading

from usim800.usim800 import sim800


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"the tap is open"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main(tool, profile, directory):
    directory = pathlib.Path(directory)
    page = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    server = f"127.0.0.1:{page.server_port}"
    # The module does not wait for the network.
    text = pathlib.Path(profile).read_text()
    slow = 'register = { min = "5 s", max = "27 s" }'
    assert slow in text
    quick = directory / "sim800a.toml"
    quick.write_text(text.replace(slow, 'register = { min = "10 ms", max = "20 ms" }'))
    pty = directory / "modem"
    command = [tool, "serve", "sim800a", "--pty", pty, "--dial", server, "--profile", quick]
    served = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert served.stdout.readline() == b"ready\n"
        # The module hears nothing until it has started.
        threading.Event().wait(4)
        driver = sim800(baudrate=115200, path=str(pty))
        driver.requests.APN = "CMNET"
        status = driver.requests.get(url=f"http://{server}/tap")
        print(driver.requests.IP, status, driver.requests.text)
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(10)


main(*sys.argv[1:])
