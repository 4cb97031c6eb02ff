#!/usr/bin/env python3
"""A small water-card terminal for a lockstep seat, after docs/water.md; docs/lockstep.md explains the lines.

    python3 water_terminal.py [--defect no-intent]

With --defect no-intent it writes the card first and keeps the result afterwards, which a power cut finds out.
"""

import json
import sys
from collections import deque

ANSWER_US = 20_000_000
QUESTION_US = 45_000_000
RETRY_US = 60_000_000
WINDOW_US = 20_000_000
GAP_US = 500_000
PARTS_US = 1_000_000
MISSES, SENDS, NEGATIVES, SIGNAL_MIN, RESULTS = 5, 3, 3, 5, 4
HEARTBEAT, ORDER, UPLOAD, FAULT = 0, 1, 2, 6
PLACES = ((104, 232, 240), (168, 233, 248))  # body, verified, done


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def with_crc(data):
    return data + crc16(data).to_bytes(2, "big")


def volume_text(hundredths):
    text = f"{hundredths // 100}.{hundredths % 100:02}"
    return text.rstrip("0").rstrip(".")


def volume(text):
    whole, _, part = text.partition(".")
    if not (whole.isdigit() and len(part) <= 2 and (part.isdigit() or "." not in text)):
        raise ValueError(text)
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


class Card:
    """Blocks 1 to 6, and what the reading rule makes of them."""

    def __init__(self, blocks):
        one, two, three, four, five, six = self.blocks = blocks
        number = f"{one:08X}{two >> 24:02X}"
        if not number.isdigit():
            raise ValueError(number)
        self.number, self.tiered = number, two & 0xFF == 1
        inverse = four ^ 0xFFFFFFFF
        if three != inverse and self.check(one, two, inverse, four, five) == six:
            self.sold = inverse
        else:
            self.sold = three

    @staticmethod
    def check(*blocks):
        return crc16(b"".join(block.to_bytes(4, "big") for block in blocks)) << 16

    def holding(self, sold, five):
        """Blocks 3 to 6 of this card with another content, in the order in which they are written."""
        one, two = self.blocks[:2]
        inverse = sold ^ 0xFFFFFFFF
        return [(3, sold), (4, inverse), (5, five), (6, self.check(one, two, sold, inverse, five))]

    def repairs(self):
        whole = self.holding(self.sold, self.blocks[4])
        return [(number, data) for number, data in whole if self.blocks[number - 1] != data]

    def credit(self, sold, order):
        counter = (self.blocks[4] >> 16) + 1 & 0xFFFF
        return self.holding(sold, counter << 16 | order & 0xFFFF)


class Terminal:
    def __init__(self, start, defect):
        self.defect = defect
        self.now = start["t_us"]
        self.nv = bytearray.fromhex(start["nv"])
        self.timers = {}
        self.out = []
        self.buffer = bytearray()
        self.up = False
        self.signal = None
        self.request = None  # what is asked of the server
        self.beat = False
        self.fault = None
        self.results = deque()  # in RAM
        self.resting = False  # results wait for the next heartbeat
        self.misses = 0
        self.negatives = deque()
        self.parts = {}
        self.visit = None  # the card in the slot
        self.after_nv = None
        self.nv_busy = False
        self.load()

    # Storage.

    def load(self):
        nv = self.nv
        if not nv:
            self.mode = "unset"
            self.init_failed("storage")
            return
        if crc16(nv[:94]) != int.from_bytes(nv[94:96], "big"):
            self.mode = "unset"
            self.init_failed("configuration")
            return
        self.mode = "starting"
        self.server = f"{nv[8]}.{nv[9]}.{nv[10]}.{nv[11]}:{int.from_bytes(nv[12:14], 'big')}"
        self.machine = bytes(nv[14:19])
        self.period_us = max(int.from_bytes(nv[19:21], "big"), 1) * 1_000_000
        self.kept, self.last = [], 0
        for place, (body, verified, done) in enumerate(PLACES):
            length = nv[body + 2]
            if not 14 <= length <= 59:
                continue
            covered = bytes(nv[body : body + 3 + length])
            if with_crc(covered) != bytes(nv[body : body + 5 + length]):
                continue
            seq = int.from_bytes(covered[:2], "big")
            if self.last == 0 or (seq - self.last) % 0x10000 < 0x8000:
                self.last = seq
            if nv[done] != seq & 0xFF:
                proven = nv[verified] == seq & 0xFF
                self.kept.append({"seq": seq, "place": place, "proven": proven, "frame": covered[3:]})
        self.kept.sort(key=lambda kept: -((self.last - kept["seq"]) % 0x10000))
        self.say_out(out="link", port="tcp", up=True, to=self.server)
        self.timers["network"] = self.now + MISSES * ANSWER_US

    def store(self, at, data):
        self.nv[at : at + len(data)] = data
        self.nv_busy = True
        self.say_out(out="nv_write", addr=at, hex=data.hex())

    def keep(self, frame):
        seq = self.last % 0xFFFF + 1
        taken = [kept["place"] for kept in self.kept]
        turn = (seq - 1) % 2
        place = turn if turn not in taken else 1 - turn
        self.last = seq
        kept = {"seq": seq, "place": place, "proven": False, "frame": frame}
        self.kept.append(kept)
        self.store(PLACES[place][0], with_crc(seq.to_bytes(2, "big") + bytes([len(frame)]) + frame))
        return kept

    def prove(self, kept):
        # Both marks share a page that a power cut may spoil, so that a doubt could become a claim.
        alone = all(other["proven"] for other in self.kept if other is not kept)
        kept["proven"] = True
        if alone:
            self.store(PLACES[kept["place"]][1], bytes([kept["seq"] & 0xFF]))

    def settle(self, kept):
        self.kept.remove(kept)
        self.store(PLACES[kept["place"]][2], bytes([kept["seq"] & 0xFF]))

    # People.

    def text(self, line):
        self.say_out(out="text", line=line)

    def tell(self, words):
        self.text("say " + words)
        self.text("show " + words)

    def init_failed(self, why):
        if self.mode != "unset":
            self.mode = "alone"
        self.tell(f"Init failed: {why}")
        self.timers["again"] = self.now + RETRY_US

    def try_parts(self):
        self.mode = "trying"
        self.parts = {"voice": b"", "display": b""}
        for part in self.parts:
            self.say_out(out="tx", port=part, hex=b"?\n".hex())
        self.timers["parts"] = self.now + PARTS_US

    def judge_parts(self):
        self.timers.pop("parts", None)
        codes = ((2, "voice"), (3, "display"))
        bad = [(code, part) for code, part in codes if b"READY\n" not in self.parts[part]]
        if self.hears_badly():
            bad.append((4, "signal"))
        if bad:
            self.mode = "defective"
            self.fault = bad[0]
            self.tell(f"Self test failed: {bad[0][1]}")
            self.timers["again"] = self.now + RETRY_US
        else:
            self.mode = "serving"
            self.timers.pop("again", None)
            self.tell("Self test passed")
            self.text("ready")

    def hears_badly(self):
        return self.signal is None or self.signal == 99 or self.signal < SIGNAL_MIN

    # Frames.

    def frame(self, kind, content="", word=0x00):
        content = content.encode()
        head = bytes([0xAA, 0x55, word, kind, 0x01]) + (12 + len(content)).to_bytes(2, "big")
        return with_crc(head + self.machine + content)

    def scan(self):
        """Takes frames off the buffer; what cannot be one costs a byte."""
        buffer = self.buffer
        while buffer:
            length = int.from_bytes(buffer[5:7], "big") if len(buffer) >= 7 else 12
            digits = all(byte >> 4 < 10 and byte & 15 < 10 for byte in buffer[7:12])
            head = b"\xaa\x55".startswith(bytes(buffer[:2])) and buffer[4:5] in (b"", b"\x01")
            if not (head and 12 <= length <= 76 and digits):
                del buffer[0]
            elif len(buffer) < length + 2:
                break
            else:
                whole = bytes(buffer[: length + 2])
                sound = with_crc(whole[:-2]) == whole
                del buffer[: length + 2 if sound else 1]
                if sound:
                    self.frame_came(whole[2], whole[3], whole[7:12], whole[12:-2])
                else:
                    self.damaged(whole[3])
        if buffer:
            self.timers["gap"] = self.now + GAP_US
        else:
            self.timers.pop("gap", None)

    def damaged(self, kind):
        while self.negatives and self.now - self.negatives[0] >= WINDOW_US:
            self.negatives.popleft()
        if self.up and len(self.negatives) < NEGATIVES:
            self.negatives.append(self.now)
            self.send(self.frame(kind, word=0x10))
        if self.request and self.request["about"] == "result":
            self.refused(again=False)

    def frame_came(self, word, kind, machine, content):
        request = self.request
        if not request or machine != self.machine or kind != request["frame"][3]:
            return
        if word == 0x10 and not content:
            self.refused(again=True)
        elif word == 0x11:
            try:
                answer = content.decode("ascii").split("%")
                self.answered(request, answer)
            except (ValueError, IndexError):
                pass  # It is no answer.

    def send(self, frame):
        self.say_out(out="tx", port="tcp", hex=frame.hex())

    # Requests: one at a time.

    def ask_next(self):
        if self.request or not self.up or self.nv_busy or self.mode == "unset":
            return
        working = self.mode not in ("starting", "alone")
        visit = self.visit
        if working and visit and visit["phase"] == "asking":
            card = visit["card"]
            content = f"{card.number}%{volume_text(card.sold)}"
            self.request = {"about": "card", "frame": self.frame(ORDER + 16 * card.tiered, content)}
        elif working and not self.resting and self.next_result():
            pass
        elif self.beat:
            self.beat = False
            self.request = {"about": "life", "frame": self.frame(HEARTBEAT)}
        elif working and self.fault:
            code, part = self.fault
            self.fault = None
            self.request = {"about": "fault", "frame": self.frame(FAULT, f"{part}%{code}")}
        if self.request:
            self.request["refusals"], self.request["sent"] = 0, False
            self.timers["answer"] = self.now + ANSWER_US
            self.hand_over()

    def next_result(self):
        busy = self.visit and self.visit.get("kept")
        waiting = [kept for kept in self.kept if kept is not busy]
        if self.results:
            self.request = {"about": "result", "kept": None, "frame": self.results[0]}
        elif waiting:
            kept = waiting[0]
            frame = kept["frame"]
            if not kept["proven"]:
                card, order, _, sold = frame[12:-2].decode().split("%")
                frame = self.frame(frame[3], f"{card}%{order}%2%{sold}")
            self.request = {"about": "result", "kept": kept, "frame": frame}
        return self.request is not None

    def hand_over(self):
        if self.request and self.up and not self.request["sent"]:
            self.request["sent"] = True
            self.send(self.request["frame"])

    def close_request(self):
        self.timers.pop("answer", None)
        self.request = None

    def hang_up(self):
        self.say_out(out="link", port="tcp", up=False)

    def no_answer(self):
        request = self.request
        self.close_request()
        about = request["about"]
        if about == "life" and self.mode == "starting":
            self.misses += 1
            if self.misses >= MISSES:
                self.init_failed("network")
            else:
                self.beat = True
            return
        if about == "life" and self.mode == "alone":
            return
        if about == "life":
            self.beat = True
        elif about == "card":
            self.end_visit("No answer, please try again: 0 T")
        elif about == "result":
            self.put_away(request["kept"])
        self.hang_up()

    def put_away(self, kept):
        if kept is None and len(self.kept) < len(PLACES):
            self.prove(self.keep(self.results.popleft()))

    def refused(self, again):
        request = self.request
        request["refusals"] += 1
        if request["refusals"] < SENDS:
            if again:
                request["sent"] = False
                self.hand_over()
            return
        if request["about"] == "life":
            return  # It has missed when its time is over.
        self.close_request()
        if request["about"] == "card":
            self.end_visit("No answer, please try again: 0 T")
        elif request["about"] == "result":
            self.resting = True
            self.put_away(request["kept"])

    def answered(self, request, answer):
        about = request["about"]
        if about == "life":
            if len(answer[0]) != 14 or not answer[0].isdigit():
                return
            self.close_request()
            self.resting = False
            self.timers["heartbeat"] = self.now + self.period_us
            if self.mode in ("starting", "alone"):
                self.timers.pop("again", None)
                self.timers.pop("network", None)
                self.try_parts()
        elif about == "card":
            card, order, state, amount, base = answer
            if card == self.visit["card"].number:
                offer = int(order), int(state), volume(amount), volume(base)
                self.close_request()
                self.offered(*offer)
        elif about == "result":
            order, state = answer
            asked = request["frame"][12:-2].decode().split("%")[1]
            if order == asked and state in ("1", "2", "3"):
                self.close_request()
                if request["kept"]:
                    self.settle(request["kept"])
                else:
                    self.results.popleft()
        else:
            self.close_request()

    # The card in the slot.

    def card_came(self):
        if self.mode != "serving":
            return
        if len(self.kept) == len(PLACES) or len(self.results) >= RESULTS:
            self.tell("Results wait for the server, come back later: 0 T")
            return
        self.visit = {"phase": "reading"}
        self.read_card()

    def read_card(self):
        self.visit["blocks"] = []
        for block in range(1, 7):
            self.text(f"read {block}")

    def card_line(self, words):
        visit = self.visit
        if not visit:
            return
        if visit["phase"] in ("reading", "comparing"):
            self.reading(visit, words)
        elif visit["phase"] == "writing":
            self.writing(visit, words)

    def reading(self, visit, words):
        blocks = visit["blocks"]
        if words[0] == "block" and int(words[1]) == len(blocks) + 1:
            blocks.append(int(words[2], 16))
            if len(blocks) < 6:
                return
        try:
            card = Card(blocks)
        except ValueError:
            card = None
        if visit["phase"] == "reading":
            if card is None:
                self.end_visit("Card cannot be read: 0 T")
                return
            visit.update(phase="asking", card=card)
            self.timers["question"] = self.now + QUESTION_US
        elif card is None:
            self.not_written(visit)
        elif (card.number, card.sold) != (visit["card"].number, visit["base"]):
            self.end_visit("Another card than before, come again: 0 T")
        else:
            visit["card"] = card
            self.prepare(visit)

    def offered(self, order, state, amount, base):
        visit, card = self.visit, self.visit["card"]
        self.timers.pop("question", None)
        if state == 1:
            visit.update(phase="comparing", order=order, volume=amount, base=base)
            self.read_card()
            return
        words = {0: "Nothing is ordered: 0 T", 2: f"Already on the card: {volume_text(amount)} T"}
        visit.update(phase="writing", credit=0, todo=card.repairs())
        visit["words"] = words.get(state, "Please see the office: 0 T")
        self.write_next(visit)

    def prepare(self, visit):
        card = visit["card"]
        sold = visit["base"] + visit["volume"]
        if sold > 0xFFFFFFFF:
            self.end_visit("Please see the office: 0 T")
            return
        credit = card.credit(sold, visit["order"])
        visit.update(phase="intent", sold=sold, credit=len(credit), touched=False)
        visit["todo"] = card.repairs() + credit
        if self.defect == "no-intent":
            self.touch()
        else:
            visit["kept"] = self.keep(self.result(visit, 1, sold))
            self.after_nv = self.touch

    def result(self, visit, result, sold):
        card = visit["card"]
        content = f"{card.number}%{visit['order']}%{result}%{volume_text(sold)}"
        return self.frame(UPLOAD + 16 * card.tiered, content)

    def touch(self):
        if self.visit and self.visit["phase"] == "intent":
            self.visit["phase"] = "writing"
            self.write_next(self.visit)

    def write_next(self, visit):
        if not visit["todo"]:
            if visit["credit"]:
                self.credited(visit)
            else:
                self.end_visit(visit["words"])
            return
        block, data = visit["todo"][0]
        visit["touched"] = len(visit["todo"]) <= visit["credit"]
        self.text(f"write {block} {data:08X}")

    def writing(self, visit, words):
        if words[0] == "done":
            self.text(f"read {visit['todo'][0][0]}")
            return
        block, data = visit["todo"][0]
        shows = int(words[2], 16) if words[0] == "block" else None
        if shows == data:
            visit["todo"].pop(0)
            self.write_next(visit)
        elif not visit["credit"]:
            self.end_visit("Please see the office: 0 T")
        else:
            # The first block as it was: nothing has happened to the card.
            first = len(visit["todo"]) == visit["credit"]
            unharmed = first and shows == visit["card"].sold
            self.credit_failed(visit, visit["touched"] and not unharmed)

    def credited(self, visit):
        if "kept" in visit:
            self.prove(visit.pop("kept"))
        else:
            self.results.append(self.result(visit, 1, visit["sold"]))
        self.end_visit(f"Thank you: {volume_text(visit['volume'])} T")

    def credit_failed(self, visit, touched):
        if not touched:
            if "kept" in visit:
                self.settle(visit.pop("kept"))
            self.not_written(visit)
            return
        if "kept" not in visit:
            self.results.append(self.result(visit, 2, visit["sold"]))
        self.end_visit(f"Please present the card again: {volume_text(visit['volume'])} T in doubt")

    def not_written(self, visit):
        self.results.append(self.result(visit, 0, visit["card"].sold))
        self.end_visit("Nothing was written: 0 T")

    def end_visit(self, words):
        self.visit = None
        self.timers.pop("question", None)
        self.tell(words)

    def card_went(self):
        visit = self.visit
        if not visit:
            return
        if self.request and self.request["about"] == "card":
            self.close_request()
        if visit["phase"] == "comparing":
            self.not_written(visit)
        elif visit.get("credit"):
            self.credit_failed(visit, visit["touched"])
        else:
            self.end_visit("Card left too early: 0 T")

    # Turns.

    def say_out(self, **fields):
        self.out.append(fields)

    def take(self, told):
        self.now = told["t_us"]
        kind = told["in"]
        if kind == "deadline":
            due = sorted((at, name) for name, at in self.timers.items() if at <= self.now)
            for at, name in due:
                # One that ran out may have taken another with it.
                if self.timers.get(name) == at:
                    del self.timers[name]
                    self.expired(name)
        elif kind == "nv_done":
            self.nv_busy = False
            after, self.after_nv = self.after_nv, None
            if after:
                after()
        elif kind == "link":
            self.link(told["up"])
        elif kind == "rx" and told["port"] == "tcp":
            self.buffer += bytes.fromhex(told["hex"])
            self.scan()
        elif kind == "rx" and self.mode == "trying":
            self.parts[told["port"]] += bytes.fromhex(told["hex"])
            if all(b"READY\n" in heard for heard in self.parts.values()):
                self.judge_parts()
        elif kind == "text":
            self.line(told["line"].split(" "))
        self.ask_next()

    def line(self, words):
        if words[0] == "present":
            self.card_came()
        elif words[0] == "remove":
            self.card_went()
        elif words[0] == "signal":
            self.signal = int(words[1])
        elif words[0] in ("block", "done", "gone", "error"):
            self.card_line(words)

    def link(self, up):
        self.up = up
        self.buffer.clear()
        self.timers.pop("gap", None)
        if not up:
            if self.request:
                self.request["sent"] = False
            return
        if self.mode in ("starting", "alone") and not self.request:
            self.timers.pop("network", None)
            self.beat = True
        if self.mode == "defective":
            self.try_parts()
        self.hand_over()

    def expired(self, name):
        if name == "answer":
            self.no_answer()
        elif name == "heartbeat":
            self.beat = True
        elif name == "gap":
            del self.buffer[:1]
            self.scan()
            if self.buffer:
                self.expired("gap")
        elif name == "parts":
            self.judge_parts()
        elif name == "network" and self.mode == "starting" and not self.request:
            self.init_failed("network")
        elif name == "question" and not (self.request and self.request["about"] == "card"):
            self.end_visit("No answer, please try again: 0 T")
        elif name == "again":
            self.again()

    def again(self):
        if self.mode == "unset":
            self.load()
        elif self.mode == "alone":
            self.beat = True
            if not self.request:
                self.hang_up()
            self.timers["again"] = self.now + RETRY_US
        elif self.mode == "defective":
            self.timers["again"] = self.now + RETRY_US
            if self.hears_badly() and self.up and not self.request:
                self.text("signal")
            else:
                self.try_parts()


def main():
    defect = sys.argv[2] if sys.argv[1:2] == ["--defect"] else None
    terminal = None
    for line in sys.stdin:
        told = json.loads(line)
        if told["in"] == "start":
            terminal = Terminal(told, defect)
        else:
            terminal.take(told)
        wait = min(terminal.timers.values(), default=None)
        terminal.out.append({"wait_us": None if wait is None else max(wait - terminal.now, 0)})
        sys.stdout.write("".join(json.dumps(out) + "\n" for out in terminal.out))
        sys.stdout.flush()
        terminal.out.clear()


if __name__ == "__main__":
    main()
