#!/usr/bin/env python3
"""A POS server over UDP, after docs/pos.md. It takes no payments by code.

    python3 pos_server.py PORT DIR [--divide-timers N] [--defect NAME]

DIR/accounts.jsonl lists accounts; DIR/journal.jsonl is what the server has decided, a line each, written before anybody
is told; DIR/ledger.jsonl shows the books.
"""

import argparse
import json
import os
import re
import select
import socket
import time
from datetime import datetime

DEFECTS = ("charges-repeats", "answers-once", "forgets", "takes-any-amount", "ignores-standing", "echoes-bad-time",
           "acknowledges-own-number", "books-records-again", "stops-at-junk")
DATAGRAM_MAX, SEQ_MAX, SENDS_MAX, CONFIRMS_MAX = 1024, 16, 3, 8
CONFIRM_S, LEDGER_S = 1.0, 0.05
NO_TIME = b"9999-99-99 99:99:99"
FORMS = {b"101": 6, b"102": 6, b"103": 8, b"104": 7, b"105": 11, b"106": 6, b"109": 7}
FLAGGED = (b"102", b"103", b"104")
REFUSALS = {"lost": "lost-card", "expired": "expired-card"}


class Malformed(Exception):
    pass


def fen(text):
    """An amount in fen, or nothing if it is none."""
    return int(text.replace(b".", b"")) if re.fullmatch(rb"[0-9]{1,7}\.[0-9]{2}", text) else None


def yuan(amount):
    return b"%d.%02d" % divmod(amount, 100)


def is_time(text):
    if not re.fullmatch(rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        return False
    try:
        datetime.strptime(text.decode(), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return False
    return True


class Message:
    """A datagram from a device."""

    def __init__(self, data):
        if len(data) > DATAGRAM_MAX:
            raise Malformed
        fields = [field.strip(b" ") for field in data.split(b",")]
        self.command = fields[0]
        if self.command == b"128":
            # Its form is set and never guessed: a field of unknown meaning, a code with all its commas, a serial.
            if len(fields) < 11:
                raise Malformed
            fields[6:] = [fields[6], fields[7], fields[-1]]
        known = 8 if self.command == b"128" else FORMS.get(self.command)
        if known is None:
            raise Malformed
        more = fields[known:]
        self.serial = None
        if self.command in FLAGGED and more and len(more[0]) == 1:
            more = more[1:]
        if len(fields) < known or len(more) > 1:
            raise Malformed
        if more:
            if not re.fullmatch(rb"[0-9]{10}", more[0]):
                raise Malformed
            self.serial = more[0].decode()
        self.seq, self.machine = fields[1], fields[4]
        if not 0 < len(self.seq) <= SEQ_MAX or not re.fullmatch(rb"[0-9]{5}", self.machine):
            raise Malformed
        self.rest = fields[5:known]
        self.device = ("serial", self.serial) if self.serial else ("machine", self.machine.decode())

    def card(self):
        if not re.fullmatch(rb"[0-9]{10}", self.rest[0]):
            raise Malformed
        return self.rest[0].decode()


class Server:
    def __init__(self, args):
        self.defect = args.defect
        self.confirm_s = CONFIRM_S / args.divide_timers
        self.dir = args.dir
        self.accounts, self.sales, self.set_aside = {}, {}, []
        self.latest = {}  # by device: its latest sale
        self.confirms = {}  # by device: the sequence numbers of its last confirmations
        self.waiting = {}  # by device and what it has to confirm: answers
        self.shown_at, self.stale = 0.0, True
        with open(os.path.join(self.dir, "accounts.jsonl"), encoding="utf-8") as lines:
            for line in filter(str.strip, lines):
                account = json.loads(line)
                self.accounts[account["account"]] = {"counts": 0, "standing": "good", **account}
        self.journal = open(os.path.join(self.dir, "journal.jsonl"), "a+b")
        self.replay()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", args.port))

    # Books: changed by nothing but lines of the journal.

    def replay(self):
        self.journal.seek(0)
        sound = 0
        for line in self.journal:
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            self.apply(entry)
            sound += len(line)
        self.journal.truncate(sound)

    def write(self, **entry):
        if self.defect != "forgets" or entry["do"] == "confirmed":
            self.journal.write(json.dumps(entry).encode() + b"\n")
            self.journal.flush()
            os.fsync(self.journal.fileno())
        self.apply(entry)
        self.stale = True

    def apply(self, entry):
        do = entry["do"]
        if do == "set-aside":
            self.set_aside.append(entry["record"])
            return
        key = tuple(entry["key"])
        if do == "confirmed":
            self.sales[key]["confirmed"] = True
        elif do == "record":
            self.sales[key]["record"] = entry["record"]
        else:
            sale = {name: value for name, value in entry.items() if name not in ("do", "key")}
            known = self.sales.setdefault(key, {})
            known.update(sale)
            if entry["latest"]:
                self.latest[tuple(entry["device"])] = key
            if sale["state"] == "charged":
                account = self.accounts.get(sale["card"])
                if account:
                    account["counts" if sale["sale"] == "count" else "balance_fen"] -= entry["takes"]

    # Sales.

    def key_of(self, message, card, amount, at):
        return (*message.device, at.decode("latin-1"), card, "count" if amount is None else amount)

    def sell(self, message, card, amount, at, record=None):
        """Decides on a new sale, of a record whatever is on the card."""
        count = amount is None
        account = self.accounts.get(card)
        left = account and account["counts" if count else "balance_fen"]
        takes = 1 if count else amount
        good = account and (account["standing"] == "good" or self.defect == "ignores-standing")
        why = None
        if account is None:
            why = "unknown-card"
        elif not good:
            why = REFUSALS.get(account["standing"], "unknown-card")
        elif left < takes:
            why = "no-counts" if count else "too-little"
        entry = {"sale": "count" if count else "pay", "card": card, "at": at.decode(), "state": "charged"}
        if not count:
            entry["amount_fen"] = amount
        entry["serial" if message.serial else "machine"] = message.serial or int(message.machine)
        if record is not None:
            entry["record"] = record
            flags = {None: None, "unknown-card": "unknown-card", "no-counts": "overdrawn", "too-little": "overdrawn"}
            flag = flags.get(why, "bad-standing")
            if flag:
                entry["flag"] = flag
            if account is None:
                takes = 0
        elif why:
            entry.update(state="refused", why=why)
        if entry["state"] == "charged":
            entry["left"] = (left or 0) - takes
        key = self.key_of(message, card, amount, at)
        self.write(do="sale", key=key, latest=record is None, takes=takes, device=message.device, **entry)
        return key

    def answer(self, message, key):
        sale = self.sales[key]
        head = message.machine + b"," + sale["card"].encode()
        if sale["state"] == "refused":
            return b"006," + head + b",REFUSED " + sale["why"].upper().encode() + b",20,0,6"
        amount = yuan(sale.get("amount_fen", 0))
        left = sale["left"]
        left = str(left).encode() if sale["sale"] == "count" else (b"-" if left < 0 else b"") + yuan(abs(left))
        return b"008," + head + b"," + amount + b",LEFT {" + left + b"},20,0,1"

    def pay(self, message, source):
        card = message.rest[0].decode("latin-1")
        at = message.rest[-1]
        if not re.fullmatch(r"[0-9]{10}", card):
            data = b"006,%s,%s,NO CARD,20,0,6" % (message.machine, message.rest[0])
            self.reply(source, message, b"006", card, data, None)
            return
        amount = None
        if message.command == b"103":
            amount = fen(message.rest[1])
            if self.defect == "takes-any-amount" and amount is None:
                digits = re.sub(rb"[^0-9]", b"", message.rest[1])
                amount = int(digits[-7:] or b"0")
        if message.command == b"103" and amount is None or not is_time(at):
            self.reply(source, message, b"006", card, b"006,%s,%s,BAD AMOUNT,20,0,6" % (message.machine, card.encode()), None)
            return
        key = self.key_of(message, card, amount, at)
        known = self.sales.get(key)
        if known and self.defect != "charges-repeats":
            if known.get("confirmed") or self.latest.get(message.device, key) != key and "record" not in known:
                return
        else:
            key = self.sell(message, card, amount, at)
        answer = self.answer(message, key)
        self.reply(source, message, answer[:3], card, answer, key)

    def record(self, message, source):
        card, amount_text, at, mode, address, total = message.rest
        if not re.fullmatch(rb"[0-9]{8}", address) or mode not in (b"0", b"1") or not total.isdigit():
            raise Malformed
        if not re.fullmatch(rb"[0-9]{10}", card):
            raise Malformed
        amount = fen(amount_text)
        good_time = is_time(at)
        if not good_time or amount is None:
            entry = [*message.device, card.decode(), amount_text.decode("latin-1"), at.decode("latin-1"), address.decode()]
            if entry not in self.set_aside:
                self.write(do="set-aside", record=entry)
        else:
            counted = None if mode == b"1" else amount
            key = self.key_of(message, card.decode(), counted, at)
            known = self.sales.get(key)
            if known is None or known["state"] == "refused" or self.defect == "books-records-again":
                self.sell(message, card.decode(), counted, at, record=int(address))
            elif "record" not in known:
                self.write(do="record", key=key, record=int(address))
        time_told = at if good_time or self.defect == "echoes-bad-time" else NO_TIME
        self.send(source, b",".join((b"011", message.machine, card, amount_text, time_told, address)))

    # Answers, which are sent until they are confirmed.

    def reply(self, source, message, command, name, data, key):
        self.send(source, data)
        if self.defect == "answers-once":
            return
        slot = (message.device, command, name, message.seq)
        self.waiting[slot] = {"source": source, "data": data, "key": key, "sent": 1, "at": time.monotonic() + self.confirm_s}

    def confirmed(self, message):
        command, name = message.rest
        seen = self.confirms.setdefault(message.device, [])
        if message.seq in seen:
            return
        seen.append(message.seq)
        del seen[:-CONFIRMS_MAX]
        named = (message.device, command, name.decode("latin-1"))
        key = self.latest.get(message.device)
        for slot in [slot for slot in self.waiting if slot[:3] == named]:
            key = self.waiting.pop(slot)["key"] or key
        sale = self.sales.get(key)
        if sale and sale["card"] == name.decode("latin-1") and not sale.get("confirmed"):
            if command == (b"006" if sale["state"] == "refused" else b"008"):
                self.write(do="confirmed", key=key)

    def send_again(self, now):
        for slot, waiting in list(self.waiting.items()):
            if waiting["at"] <= now:
                self.send(waiting["source"], waiting["data"])
                waiting["sent"] += 1
                waiting["at"] = now + self.confirm_s
                if waiting["sent"] == SENDS_MAX:
                    del self.waiting[slot]

    # Datagrams.

    def take(self, data, source):
        try:
            message = Message(data)
        except Malformed:
            if self.defect == "stops-at-junk":
                raise
            return
        seq = message.seq
        if self.defect == "acknowledges-own-number" and seq.isdigit():
            seq = b"%d" % int(seq)
        self.send(source, b"001," + seq)
        try:
            if message.command in (b"103", b"104"):
                self.pay(message, source)
            elif message.command == b"105":
                self.record(message, source)
            elif message.command == b"128":
                number = message.rest[0].decode("latin-1")
                data = b"006,%s,%s,NO CODES,20,0,6" % (message.machine, message.rest[0])
                self.reply(source, message, b"006", number, data, None)
            elif message.command == b"101":
                self.clock(message, source)
            elif message.command == b"102":
                card = message.card()
                account = self.accounts.get(card)
                text = b"LEFT {" + yuan(max(account["balance_fen"], 0)) + b"}" if account else b"UNKNOWN CARD"
                data = b"009,%s,%s,20,1,0" % (message.machine, text)
                self.reply(source, message, b"009", message.machine.decode(), data, None)
            elif message.command == b"109":
                self.confirmed(message)
        except Malformed:
            pass

    def clock(self, message, source):
        now = datetime.now()
        if message.rest[0][:16] != now.strftime("%Y-%m-%d %H:%M").encode():
            self.send(source, b"003," + message.machine + b"," + now.strftime("%Y-%m-%d %H:%M:%S").encode())

    def send(self, source, data):
        self.socket.sendto(data, source)

    def show(self, now):
        if not self.stale or now < self.shown_at + LEDGER_S:
            return
        self.stale, self.shown_at = False, now
        hidden = ("latest", "takes", "device")
        lines = list(self.accounts.values())
        lines += [{name: value for name, value in sale.items() if name not in hidden} for sale in self.sales.values()]
        lines.append({"set_aside": len(self.set_aside)})
        path = os.path.join(self.dir, "ledger.jsonl")
        with open(path + ".new", "w", encoding="utf-8") as fresh:
            fresh.writelines(json.dumps(line) + "\n" for line in lines)
        os.rename(path + ".new", path)

    def run(self):
        print("ready", flush=True)
        while True:
            now = time.monotonic()
            self.send_again(now)
            self.show(now)
            due = [waiting["at"] for waiting in self.waiting.values()]
            due += [self.shown_at + LEDGER_S] if self.stale else []
            wait = max(min(due) - time.monotonic(), 0) if due else None
            if select.select([self.socket], [], [], wait)[0]:
                data, source = self.socket.recvfrom(65536)
                self.take(data, source)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("dir")
    parser.add_argument("--divide-timers", type=float, default=1)
    parser.add_argument("--defect", choices=DEFECTS)
    Server(parser.parse_args()).run()


if __name__ == "__main__":
    main()
