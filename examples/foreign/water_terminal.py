#!/usr/bin/env python3
"""A water-card terminal on a serial port or pseudo-terminal, after docs/water.md and docs/modem.md.

    python3 water_terminal.py PORT DIR [--divide-timers N] [--defect NAME]

PORT leads to an M6311. DIR/eeprom.hex is the memory as the installer left it, DIR/eeprom.bin what has become of it.
Standard input and output are the text port: card, voice, display, and relay 2 for the modem's reset pin.

The firmware is that of ../lockstep/water_terminal.py; here it has a modem driver of its own and the real clock.
"""

import argparse
import os
import pathlib
import select
import sys
import termios
import time
import tty
from collections import deque

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lockstep"))
import water_terminal as firmware  # noqa: E402

RESET_S, COMMAND_S, ATTACH_S, CONNECT_S, PROMPT_S, SEND_S, PAUSE_S = 0.2, 5, 30, 25, 10, 16, 1
BACKOFF_S, BACKOFF_MAX_S = 1, 60
TRIES, REGISTER_TRIES = 3, 60
LOST = ("CONNECTION CLOSED", "+PDP: DEACT")
BOOTED = ("RDY", "+CFUN: 1")


class NoModem(Exception):
    """The modem does not answer, or has started anew."""


class Modem:
    """Keeps a connection over an M6311. What it does is a generator, which waits by a yield for lines or for time."""

    def __init__(self, write, tell, reset, divisor):
        self.write, self.tell, self.reset, self.divisor = write, tell, reset, divisor
        self.buffer, self.block, self.missing = b"", b"", 0
        self.server, self.outbox = None, deque()
        self.up = self.started = self.hung_up = self.renew = self.prompting = False
        self.signal = None
        self.course = self.run()
        self.wake = next(self.course)

    # What comes in.

    def take(self, data):
        self.buffer += data
        while self.buffer:
            if self.missing:
                self.block += self.buffer[: self.missing]
                self.buffer, self.missing = self.buffer[self.missing :], self.missing - len(self.buffer[: self.missing])
                if not self.missing:
                    block, self.block = self.block, b""
                    self.tell({"in": "rx", "port": "tcp", "hex": block.hex()})
            elif self.prompting and self.buffer.startswith(b"> "):
                self.buffer = self.buffer[2:]
                self.go_on("> ")
            else:
                line, end, rest = self.buffer.partition(b"\n")
                if not end:
                    return
                self.buffer = rest
                text = line.strip(b"\r").decode("latin-1")
                if text.startswith("+IPDATA: ") and text[9:].isdigit():
                    self.missing = int(text[9:])
                elif text:
                    self.go_on(text)

    def go_on(self, line=None):
        """A line has come, or without one: there is something to do, or the time has come."""
        if line in BOOTED and self.started:
            self.begin_anew()
            return
        if line in LOST:
            self.lost()
        try:
            self.wake = self.course.send(line)
        except NoModem:
            self.begin_anew()

    def begin_anew(self):
        self.lost()
        self.course = self.run()
        self.wake = next(self.course)

    def lost(self):
        self.outbox.clear()
        if self.up:
            self.up = False
            self.tell({"in": "link", "port": "tcp", "up": False})

    # What it does.

    def wait(self, seconds):
        until = time.monotonic() + seconds / self.divisor
        while time.monotonic() < until:
            yield until

    def answer(self, wanted, seconds):
        """The first line that is wanted, or nothing when the time is over."""
        until = time.monotonic() + seconds / self.divisor
        while time.monotonic() < until:
            line = yield until
            if line is not None and line.startswith("+CSQ: "):
                self.signal = int(line[6:].partition(",")[0])
            if line is not None and line.startswith(wanted):
                return line
        return None

    def command(self, text, seconds=COMMAND_S, wanted=("OK", "ERROR", "+CME ERROR")):
        self.write(text.encode() + b"\r")
        return (yield from self.answer(wanted, seconds))

    def insist(self, text, seconds=COMMAND_S):
        for _ in range(TRIES):
            if (yield from self.command(text, seconds)) == "OK":
                return
            yield from self.wait(PAUSE_S)
        raise NoModem

    def run(self):
        self.started = self.prompting = False
        self.missing = 0
        self.reset(True)
        yield from self.wait(RESET_S)
        self.reset(False)
        while (yield from self.command("AT", PAUSE_S)) != "OK":
            pass
        yield from self.insist("ATE0")
        self.started = True
        for _ in range(REGISTER_TRIES):
            line = yield from self.command("AT+CREG?", wanted=("+CREG: ", "ERROR"))
            yield from self.answer(("OK",), COMMAND_S)
            if line in ("+CREG: 0,1", "+CREG: 0,5"):
                break
            yield from self.wait(PAUSE_S)
        else:
            raise NoModem
        yield from self.tell_signal()
        yield from self.insist("AT+CGATT=1", ATTACH_S)
        yield from self.insist('AT+CGDCONT=1,"IP","CMNET"')
        yield from self.insist("AT+CGACT=1,1", ATTACH_S)
        yield from self.insist("AT+CMHEAD=1")
        pause, failures = BACKOFF_S, 0
        while True:
            while self.server is None:
                yield None
            if (yield from self.connect()):
                pause, failures = BACKOFF_S, 0
                yield from self.talk()
                self.lost()
            else:
                failures += 1
            if failures == TRIES:
                raise NoModem
            yield from self.command("AT+IPCLOSE")
            yield from self.wait(pause)
            pause = min(pause * 2, BACKOFF_MAX_S)

    def tell_signal(self):
        self.renew = False
        yield from self.command("AT+CSQ")
        if self.signal is not None:
            self.tell({"in": "text", "line": f"signal {self.signal}"})

    def connect(self):
        self.hung_up = False
        ip, _, port = self.server.partition(":")
        ends = ("CONNECT OK", "CONNECT FAIL", "ALREADY CONNECT", "COMMAND TIMEOUT", "ERROR", "+CME ERROR")
        line = yield from self.command(f'AT+IPSTART="TCP","{ip}",{port}', CONNECT_S, ends)
        if line != "CONNECT OK":
            return False
        self.up = True
        self.tell({"in": "link", "port": "tcp", "up": True})
        return True

    def talk(self):
        while self.up and not self.hung_up:
            if self.outbox:
                if not (yield from self.send(self.outbox.popleft())):
                    return
            elif self.renew:
                yield from self.tell_signal()
            else:
                yield None

    def send(self, data):
        self.prompting = True
        line = yield from self.command(f"AT+IPSEND={len(data)}", PROMPT_S, ("> ", "ERROR", "+CME ERROR", *LOST))
        self.prompting = False
        if line != "> ":
            return False
        self.write(data)
        return (yield from self.answer(("SEND OK", "SEND FAIL", *LOST), SEND_S)) == "SEND OK"


class Terminal(firmware.Terminal):
    """The same firmware with one bad choice."""

    def scan(self):
        if self.defect == "ignores-crc":
            # The CRC that would be right takes the place of the one that is not.
            whole = bytes(self.buffer)
            length = int.from_bytes(whole[5:7], "big")
            if len(whole) == length + 2:
                self.buffer[:] = firmware.with_crc(whole[:-2])
        super().scan()

    def frame_came(self, word, kind, machine, content):
        if self.defect == "any-machine":
            machine = self.machine
        if self.defect == "never-repeats" and word == 0x10:
            return
        super().frame_came(word, kind, machine, content)

    def offered(self, order, state, amount, base):
        if self.defect == "credits-anything" and state in (0, 2, 3):
            state, amount = 1, amount or 100
            base = self.visit["card"].sold
        super().offered(order, state, amount, base)

    def result(self, visit, result, sold):
        if self.defect == "wrong-result" and result == 1:
            result = 0
        return super().result(visit, result, sold)


DEFECTS = (
    "no-intent",
    "ignores-crc",
    "any-machine",
    "never-repeats",
    "credits-anything",
    "wrong-result",
)


class Board:
    """Memory, port, text port and clock around the firmware."""

    def __init__(self, args):
        self.divisor = args.divide_timers
        for name in ("ANSWER_US", "QUESTION_US", "RETRY_US", "WINDOW_US"):
            setattr(firmware, name, getattr(firmware, name) // self.divisor)
        self.port = os.open(args.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.port, termios.TCSANOW)
        self.memory = self.open_memory(args.dir)
        self.unsent = b""
        self.told = deque()
        nv = os.pread(self.memory, 256, 0)
        self.terminal = Terminal({"t_us": self.now_us(), "nv": nv.hex()}, args.defect)
        self.modem = Modem(self.write_port, self.told.append, self.reset, self.divisor)
        self.wait_us = None

    @staticmethod
    def open_memory(directory):
        path = os.path.join(directory, "eeprom.bin")
        if not os.path.exists(path):
            with open(os.path.join(directory, "eeprom.hex"), encoding="ascii") as installed:
                image = bytes.fromhex(installed.read())
            with open(path + ".new", "wb") as fresh:
                fresh.write(image)
            os.rename(path + ".new", path)
        return os.open(path, os.O_RDWR)

    @staticmethod
    def now_us():
        return time.monotonic_ns() // 1000

    def write_port(self, data):
        self.unsent += data

    def reset(self, held):
        self.say("relay 2 ON" if held else "relay 2 OFF")

    @staticmethod
    def say(line):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def carry_out(self):
        for out in self.terminal.out:
            if out["out"] == "text" and out["line"] == "signal":
                self.modem.renew = True
            elif out["out"] == "text":
                self.say(out["line"])
            elif out["out"] == "nv_write":
                os.pwrite(self.memory, bytes.fromhex(out["hex"]), out["addr"])
                self.told.append({"in": "nv_done"})
            elif out["out"] == "tx" and out["port"] == "tcp":
                if self.modem.up:
                    self.modem.outbox.append(bytes.fromhex(out["hex"]))
            elif out["out"] == "tx":
                self.say({"voice": "say ", "display": "show "}[out["port"]] + bytes.fromhex(out["hex"]).decode().strip())
            elif out["up"]:
                self.modem.server = out["to"]
            else:
                self.modem.hung_up = True
        self.terminal.out.clear()

    def turns(self):
        """Lets firmware and driver go on until neither has anything to tell the other."""
        self.carry_out()
        while self.told:
            self.terminal.take({"t_us": self.now_us(), **self.told.popleft()})
            self.carry_out()

    def deadlines(self):
        due = [at / 1e6 for at in self.terminal.timers.values()]
        return min([*due, *([self.modem.wake] if self.modem.wake else [])], default=None)

    def run(self):
        text = b""
        self.turns()
        self.modem.go_on()
        while True:
            self.turns()
            wake = self.deadlines()
            wait = None if wake is None else max(wake - time.monotonic(), 0)
            readable, writable, _ = select.select([self.port, 0], [self.port] if self.unsent else [], [], wait)
            if writable:
                self.unsent = self.unsent[os.write(self.port, self.unsent) :]
            if self.port in readable:
                self.modem.take(os.read(self.port, 4096))
            if 0 in readable:
                more = os.read(0, 4096)
                if not more:
                    return
                *lines, text = (text + more).split(b"\n")
                self.told.extend(map(self.text_line, lines))
            if any(at <= self.now_us() for at in self.terminal.timers.values()):
                self.told.append({"in": "deadline"})
            self.turns()
            self.modem.go_on()

    @staticmethod
    def text_line(line):
        words = line.decode("utf-8", "replace").strip()
        if words in ("voice READY", "display READY"):
            return {"in": "rx", "port": words.partition(" ")[0], "hex": b"READY\n".hex()}
        return {"in": "text", "line": words}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("dir")
    parser.add_argument("--divide-timers", type=int, default=1)
    parser.add_argument("--defect", choices=DEFECTS)
    Board(parser.parse_args()).run()


if __name__ == "__main__":
    main()
