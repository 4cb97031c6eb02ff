// A message field by field: where each field stands, what it is called, and what it says. Whatever is not understood
// stays bytes, and a field whose check does not fit says so.

const NEVER = 4096;

// What is in some bytes, one part behind the other: { title, note, fields: [{ at, len, name, value, bad }] }.
function dissect(hex, medium) {
  const bytes = (hex.match(/../g) || []).slice(0, NEVER).map((byte) => parseInt(byte, 16));
  if (!bytes.length || medium === "field" || medium === "pin") return [];
  if (medium === "datagrams") return posMessage(bytes) || [plain(bytes, 0, bytes.length)];
  const parts = [];
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const frame = waterFrame(bytes, at) || hostFrame(bytes, at) || linkMessage(bytes, at) || multiplexed(bytes, at, medium);
    if (!frame) {
      at += 1;
      continue;
    }
    if (from < at) parts.push(...words(bytes, from, at, medium));
    parts.push(...frame.parts);
    at = from = frame.end;
  }
  if (from < bytes.length) parts.push(...words(bytes, from, bytes.length, medium));
  return parts;
}

const ascii = (bytes, from, to) => String.fromCharCode(...bytes.slice(from, to).map((code) => (code < 128 ? code : 0xfffd)));
const number = (bytes, at, len) => bytes.slice(at, at + len).reduce((sum, byte) => sum * 256 + byte, 0);
const two = (byte) => byte.toString(16).padStart(2, "0").toUpperCase();
const spaced = (bytes, from, to) => bytes.slice(from, to).map(two).join(" ");
const readable = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => ({ "\r": "␍", "\n": "␊", "\t": "␉" })[one] || `\\u{${one.codePointAt(0).toString(16)}}`);

function plain(bytes, from, to, title = "Bytes", note = "") {
  return { title, note, fields: [{ at: from, len: to - from, name: "bytes", value: readable(ascii(bytes, from, to)) }] };
}

// CRC-16/XMODEM.
function crc16(bytes, from, to) {
  let crc = 0;
  for (let at = from; at < to; at += 1) {
    crc ^= bytes[at] << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc;
}

function checkField(bytes, from, to) {
  const due = crc16(bytes, from, to);
  const fits = due === number(bytes, to, 2);
  return { at: to, len: 2, name: "CRC-16", value: fits ? "fits" : `does not fit: ${two(due >> 8)} ${two(due & 255)} would`, bad: !fits };
}

// Fields between separators; the last name takes whatever is left where it ends in a dot.
function separated(bytes, from, to, separator, names) {
  const fields = [];
  let at = from;
  for (let nth = 0; at <= to; nth += 1) {
    const name = names[Math.min(nth, names.length - 1)];
    const rest = name?.endsWith("…") && nth >= names.length - 1;
    let end = rest ? to : bytes.indexOf(separator, at);
    if (end < 0 || end > to) end = to;
    fields.push({ at, len: end - at, name: (nth < names.length ? name : "more")?.replace("…", ""), value: readable(ascii(bytes, at, end)) });
    at = end + 1;
  }
  return fields;
}

// Water frames: AA 55, answer word, type, version, length, machine, content between %, CRC.

const WATER_WORDS = { 0x00: "message", 0x10: "negative answer", 0x11: "answer" };
const WATER_KINDS = ["heartbeat", "order request", "result upload", "clock", "parameters", "card query", "fault report"];
const WATER_ASKS = [[], ["card", "sold"], ["card", "order", "result", "sold"], [], [], ["card", "sold"], ["part", "code"]];
const WATER_SAYS = [["time"], ["card", "order", "state", "volume", "base"], ["order", "state"], ["time"], ["heartbeat_s", "ip", "port"], ["card", "sold", "open orders"], ["ok"]];
const WATER_VALUES = {
  "0x2 result": ["failed", "written", "in doubt"],
  "1x1 state": ["none", "paid, to be written", "done", "refused"],
  "1x2 state": [undefined, "open", "closed", "set aside"],
};

function waterFrame(bytes, at) {
  if (bytes[at] !== 0xaa || bytes[at + 1] !== 0x55 || bytes.length - at < 14) return null;
  const length = number(bytes, at + 5, 2);
  if (length < 12 || length > 76 || bytes.length - at < length + 2) return null;
  const [word, type] = [bytes[at + 2], bytes[at + 3]];
  const kind = WATER_KINDS[type & 15];
  const answer = word === 0x11;
  const meaning = `${kind || "unknown type"}${type >> 4 === 1 ? ", tiered price" : ""}`;
  const fields = [
    { at, len: 2, name: "header", value: "AA 55" },
    { at: at + 2, len: 1, name: "answer word", value: WATER_WORDS[word] || "unknown", bad: !WATER_WORDS[word] },
    { at: at + 3, len: 1, name: "type", value: meaning, bad: !kind || type >> 4 > 1 },
    { at: at + 4, len: 1, name: "version", value: String(bytes[at + 4]) },
    { at: at + 5, len: 2, name: "length", value: `${length}, without the CRC` },
    { at: at + 7, len: 5, name: "machine", value: bytes.slice(at + 7, at + 12).map(two).join("") },
  ];
  const names = (answer ? WATER_SAYS : WATER_ASKS)[type & 15] || [];
  if (length > 12) {
    for (const field of separated(bytes, at + 12, at + length, 0x25, names.length ? names : ["content"])) {
      const known = WATER_VALUES[`${answer ? 1 : 0}x${type & 15} ${field.name}`]?.[Number(field.value)];
      fields.push(known ? { ...field, value: `${field.value}, ${known}` } : field);
    }
  }
  fields.push(checkField(bytes, at, at + length));
  return { parts: [{ title: `Water frame: ${meaning}`, note: WATER_WORDS[word] || "", fields }], end: at + length + 2 };
}

// POS datagrams: fields between commas, the command first.

const POS_HEAD = ["seq", "device", "server", "machine"];
const POS_SHOWN = ["seconds", "beep", "voice"];
const POS = {
  "000": ["who is there?"],
  "001": ["your message has come", "seq"],
  "002": ["what does your clock say?", "machine"],
  "003": ["set your clock", "machine", "time"],
  "006": ["the sale is refused", "machine", "card or number", "text…"],
  "008": ["the sale is made", "machine", "card or number", "amount", "text…"],
  "009": ["show this", "machine", "text…"],
  "011": ["delete the record, send the next", "machine", "card", "amount", "time", "record"],
  100: ["here I am", "seq", "device", "mask", "gateway", "server", "port", "serial"],
  101: ["switched on", ...POS_HEAD, "time", "serial"],
  102: ["a card, nothing typed", ...POS_HEAD, "card", "flag or serial", "serial"],
  103: ["payment by card", ...POS_HEAD, "card", "amount", "time", "flag or serial", "serial"],
  104: ["one count of a card", ...POS_HEAD, "card", "time", "flag or serial", "serial"],
  105: ["a sale that was booked off line", ...POS_HEAD, "card", "amount", "time", "mode", "record", "stored", "serial"],
  106: ["keys", ...POS_HEAD, "keys", "serial"],
  109: ["an answer has come", ...POS_HEAD, "answer", "card or number", "serial"],
  128: ["payment by a scanned code", ...POS_HEAD, "number", "amount", "time", "code and what follows…"],
};

function posMessage(bytes) {
  const command = ascii(bytes, 0, 3);
  const names = Object.hasOwn(POS, command) ? POS[command] : null;
  if (!names || (bytes.length > 3 && bytes[3] !== 0x2c)) return null;
  const fields = [{ at: 0, len: 3, name: "command", value: `${command}, ${names[0]}` }];
  // A door controller's 100 has no sequence number, and its fields are told apart by their count only.
  const count = bytes.filter((byte) => byte === 0x2c).length;
  const own = command === "100" && count !== 7 ? ["field"] : names.slice(1);
  if (bytes.length > 3) {
    const all = separated(bytes, 4, bytes.length, 0x2c, own);
    const text = all.at(-1);
    if (own.at(-1) === "text…" && text.name === "text") all.push(...shownText(bytes, all.pop()));
    fields.push(...all);
  }
  return [{ title: `POS datagram ${command}: ${names[0]}`, note: "", fields }];
}

// A text to be shown, commas included, and behind it for how long, and with which sounds.
function shownText(bytes, { at, len }) {
  const cuts = [];
  for (let place = at + len - 1; place >= at && cuts.length < 3; place -= 1) if (bytes[place] === 0x2c) cuts.unshift(place);
  if (cuts.length < 3) return [{ at, len, name: "text", value: chinese(bytes, at, at + len) }];
  const ends = [...cuts.slice(1), at + len];
  const cues = cuts.map((cut, nth) => ({ at: cut + 1, len: ends[nth] - cut - 1, name: POS_SHOWN[nth], value: readable(ascii(bytes, cut + 1, ends[nth])) }));
  return [{ at, len: cuts[0] - at, name: "text", value: chinese(bytes, at, cuts[0]) }, ...cues];
}

const chinese = (bytes, from, to) => readable(new TextDecoder("gbk").decode(Uint8Array.from(bytes.slice(from, to))));
const utf8 = (bytes, from, to) => readable(new TextDecoder().decode(Uint8Array.from(bytes.slice(from, to))));

// The scan-to-pay system: frames between host and module, sealed messages between module and server.

const ORDER_STATES = ["the pay link is waited for", "the pay link is there", "it can be paid", "paid", "closed", "refused", "no network", "nobody knows", "paid, delivery in doubt", "refunded"];
const HOST_WORDS = { 1: "pay", 2: "status", 3: "query", 4: "cancel", 5: "data" };
const HOST_ERRORS = [undefined, "the check is wrong", "there is no such command", "a field is not as it should be", "the order has other terms", "too many open orders", "there is no such order", "the memory has failed"];
const HOST_FIELDS = {
  0x01: [["order", 20], ["amount", 4], ["channel", 1], ["relay", 1], ["pulse", 2]],
  0x81: [["status", 1], ["link", 0]],
  0x02: [["order", 20], ["status", 1], ["link", 0]],
  0x82: [["order", 20], ["status", 1]],
  0x03: [["order", 20]],
  0x83: [["status", 1], ["link", 0]],
  0x04: [["order", 20]],
  0x84: [["status", 1]],
  0x05: [["data", 0]],
  0x7f: [["error", 1]],
};

function named(command, known) {
  const word = known[command & 0x7f];
  if (command === 0x7f) return "error";
  if (!word) return "unknown command";
  return command & 0x80 ? `${word}, answer` : word;
}

function paymodValue(name, bytes, at, len) {
  const value = number(bytes, at, len);
  if (name === "status") return `${value}, ${ORDER_STATES[value] || "unknown"}`;
  if (name === "error") return `${value}, ${HOST_ERRORS[value] || "unknown"}`;
  if (name === "channel") return `${value}, ${["", "WeChat Pay", "Alipay"][value] || "unknown"}`;
  if (name === "amount") return `${value} fen`;
  if (name === "pulse") return `${value} ms`;
  if (name === "relay") return value ? String(value) : "0, none";
  return utf8(bytes, at, at + len);
}

function hostFrame(bytes, at) {
  if (bytes[at] !== 0xa5 || bytes[at + 1] !== 0x5a || at + 2 >= bytes.length) return null;
  const len = bytes[at + 2];
  if (len < 2 || bytes.length < at + len + 5) return null;
  const command = bytes[at + 3];
  const meaning = named(command, HOST_WORDS);
  const fields = [
    { at, len: 2, name: "header", value: "A5 5A" },
    { at: at + 2, len: 1, name: "length", value: String(len) },
    { at: at + 3, len: 1, name: "command", value: meaning, bad: meaning === "unknown command" },
    { at: at + 4, len: 1, name: "sequence", value: String(bytes[at + 4]) },
  ];
  let place = at + 5;
  const end = at + 3 + len;
  for (const [name, long] of HOST_FIELDS[command] || []) {
    const taken = Math.min(long || end - place, end - place);
    if (taken > 0) fields.push({ at: place, len: taken, name, value: paymodValue(name, bytes, place, taken), bad: taken < long });
    place += taken;
  }
  if (place < end) fields.push({ at: place, len: end - place, name: "more", value: readable(ascii(bytes, place, end)) });
  fields.push(checkField(bytes, at + 2, end));
  return { parts: [{ title: `Frame of host and module: ${meaning}`, note: "", fields }], end: end + 2 };
}

const LINK_WORDS = { 1: "login", 2: "heartbeat", 3: "create", 4: "query", 5: "push", 6: "cancel", 7: "data" };
const LINK_SEALS = { 1: "AES-128-CBC", 2: "AES-128-GCM" };

function linkMessage(bytes, at) {
  if (bytes[at] !== 0x55 || bytes[at + 1] !== 0xaa || bytes.length < at + 32 || !LINK_SEALS[bytes[at + 2]]) return null;
  const sealed = number(bytes, at + 12, 2);
  if (sealed > 512 || bytes.length < at + 32 + sealed) return null;
  const meaning = named(bytes[at + 3], LINK_WORDS);
  const fields = [
    { at, len: 2, name: "header", value: "55 AA" },
    { at: at + 2, len: 1, name: "version", value: LINK_SEALS[bytes[at + 2]] },
    { at: at + 3, len: 1, name: "command", value: meaning, bad: meaning === "unknown command" },
    { at: at + 4, len: 4, name: "sequence", value: String(number(bytes, at + 4, 4)) },
    { at: at + 8, len: 4, name: "device", value: String(number(bytes, at + 8, 4)) },
    { at: at + 12, len: 2, name: "sealed length", value: String(sealed) },
    { at: at + 14, len: 16, name: "IV", value: "drawn anew" },
    { at: at + 30, len: sealed, name: "sealed", value: "what is in it takes the key, which no report has; the line above says what it means" },
    checkField(bytes, at, at + 30 + sealed),
  ];
  return { parts: [{ title: `Sealed message of module and server: ${meaning}`, note: LINK_SEALS[bytes[at + 2]], fields }], end: at + 32 + sealed };
}

// Frames of a multiplexed line in its basic form: F9, address, control, length, data, check, F9.

const MUX_KINDS = { 0x2f: "SABM", 0x63: "UA", 0x0f: "DM", 0x43: "DISC", 0xef: "UIH", 0x03: "UI" };

function multiplexed(bytes, at, medium) {
  if (medium !== "serial line" || bytes[at] !== 0xf9 || bytes.length < at + 6 || !(bytes[at + 1] & 1)) return null;
  const kind = MUX_KINDS[bytes[at + 2] & 0xef] || MUX_KINDS[bytes[at + 2]];
  const long = bytes[at + 3] & 1 ? 1 : 2;
  const len = long === 1 ? bytes[at + 3] >> 1 : (bytes[at + 3] >> 1) + bytes[at + 4] * 128;
  const data = at + 3 + long;
  if (!kind || bytes[data + len + 1] !== 0xf9) return null;
  const due = muxCheck(bytes.slice(at + 1, kind === "UIH" ? data : data + len));
  const fields = [
    { at, len: 1, name: "flag", value: "F9" },
    { at: at + 1, len: 1, name: "address", value: `channel ${bytes[at + 1] >> 2}` },
    { at: at + 2, len: 1, name: "control", value: `${kind}${bytes[at + 2] & 0x10 ? ", poll or final" : ""}` },
    { at: at + 3, len: long, name: "length", value: String(len) },
    ...(len ? [{ at: data, len, name: "data", value: readable(ascii(bytes, data, data + len)) }] : []),
    { at: data + len, len: 1, name: "FCS", value: due === bytes[data + len] ? "fits" : `does not fit: ${two(due)} would`, bad: due !== bytes[data + len] },
    { at: data + len + 1, len: 1, name: "flag", value: "F9" },
  ];
  // The closing flag may open the next frame as well.
  return { parts: [{ title: `Multiplexed frame: ${kind}`, note: "", fields }], end: data + len + 2 };
}

function muxCheck(bytes) {
  let check = 0xff;
  for (const byte of bytes) {
    check ^= byte;
    for (let bit = 0; bit < 8; bit += 1) check = check & 1 ? (check >> 1) ^ 0xe0 : check >> 1;
  }
  return 0xff - check;
}

// Text: HTTP on a connection, AT lines on a serial line, lines of words elsewhere.

function words(bytes, from, to, medium) {
  const text = ascii(bytes, from, to);
  if (/^(GET|POST|PUT|DELETE|HEAD|PATCH) \S+ HTTP\/1|^HTTP\/1\.[01] \d{3}/.test(text)) return http(bytes, from, to, text);
  if (medium === "serial line") return atLines(bytes, from, to);
  return text.split("\n").length > 1 && /^[\x20-\x7e\r\n]*$/.test(text) ? lines(bytes, from, to, "Line") : [plain(bytes, from, to)];
}

function lines(bytes, from, to, title) {
  const parts = [];
  let at = from;
  while (at < to) {
    let end = bytes.indexOf(0x0a, at);
    if (end < 0 || end >= to) end = to - 1;
    const found = separated(bytes, at, end + (bytes[end] === 0x0a ? 0 : 1), 0x20, ["word"]);
    parts.push({ title, note: "", fields: found.map((field) => ({ ...field, name: "word" })) });
    at = end + 1;
  }
  return parts;
}

function http(bytes, from, to, text) {
  const fields = [];
  const head = text.indexOf("\r\n\r\n");
  const stop = head < 0 ? text.length : head;
  let at = 0;
  text.slice(0, stop).split("\r\n").forEach((line, nth) => {
    if (nth === 0) {
      let place = at;
      const names = line.startsWith("HTTP/") ? ["version", "status", "reason"] : ["method", "target", "version"];
      const cut = line.split(" ");
      const said = cut.length > 3 ? [...cut.slice(0, 2), cut.slice(2).join(" ")] : cut;
      said.forEach((word, which) => {
        fields.push({ at: from + place, len: word.length, name: names[which], value: readable(word) });
        place += word.length + 1;
      });
    } else {
      const colon = line.indexOf(":");
      fields.push({ at: from + at, len: line.length, name: readable(colon < 0 ? "header" : line.slice(0, colon).toLowerCase()), value: readable(line.slice(colon + 1).trim()) });
    }
    at += line.length + 2;
  });
  const title = readable(text.slice(0, stop).split("\r\n")[0]);
  const body = from + stop + 4;
  if (head >= 0 && body < to) fields.push(...content(bytes, body, to));
  return [{ title: `HTTP: ${title.length > 90 ? `${title.slice(0, 89)}…` : title}`, note: head < 0 ? "the head is not whole" : "", fields }];
}

// The body of a call: XML, JSON or a form, as far as it reads; each value stands where it is in the bytes.
function content(bytes, from, to) {
  const text = ascii(bytes, from, to);
  const found = [];
  const add = (at, name, value) => found.push({ at: from + at, len: value.length, name: readable(name), value: utf8(bytes, from + at, from + at + value.length) });
  if (text.startsWith("<")) {
    for (const one of text.matchAll(/<([A-Za-z_]\w*)>(<!\[CDATA\[)?([^<]*?)(\]\]>)?<\/\1>/g)) add(one.index + one[1].length + 2 + (one[2] ? 9 : 0), one[1], one[3]);
  } else if (/^\s*[{[]/.test(text)) {
    for (const one of text.matchAll(/"([^"\\]+)"\s*:\s*("(?:[^"\\]|\\.)*"|[-\d.eE+]+|true|false|null)/g)) add(one.index + one[0].length - one[2].length, one[1], one[2]);
  } else if (/^[\w.]+=/.test(text)) {
    for (const one of text.matchAll(/(^|&)([^=&]+)=([^&]*)/g)) {
      add(one.index + one[1].length + one[2].length + 1, one[2], one[3]);
      found.at(-1).value = readable(unescaped(one[3]));
    }
  }
  return found.length ? found : [{ at: from, len: to - from, name: "body", value: utf8(bytes, from, to) }];
}

function unescaped(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

// AT lines: a command with its parameters, an answer, a result code.
function atLines(bytes, from, to) {
  const parts = [];
  let at = from;
  while (at < to) {
    let end = at;
    while (end < to && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end += 1;
    let after = end;
    while (after < to && (bytes[after] === 0x0d || bytes[after] === 0x0a)) after += 1;
    const line = ascii(bytes, at, end);
    if (line) parts.push(atLine(bytes, at, end, line, after));
    else if (parts.length === 0 || after === to) parts.push({ title: "Line end", note: "", fields: [{ at, len: after - at, name: "line end", value: readable(ascii(bytes, at, after)) }] });
    at = after;
  }
  return parts;
}

function atLine(bytes, at, end, line, after) {
  const command = /^AT([+^$#&*%]?[A-Z0-9_]*)(=\?|=|\?)?/i.exec(line);
  const answer = /^([+^*][A-Z0-9_]+)(:\s?|=)/.exec(line);
  const printable = /^[\x20-\x7e]*$/.test(line);
  const fields = [];
  let title = "Line";
  const parameters = (place) => {
    if (place >= end) return;
    const cut = separated(bytes, place, end, 0x2c, ["parameter"]);
    fields.push(...cut.map((field, nth) => ({ ...field, name: `parameter ${nth + 1}` })));
  };
  if (command && printable) {
    const how = { "=?": "which values there are", "=": "set", "?": "how it stands" }[command[2]] || "do";
    const known = command[1] ? `AT${command[1]}` : "AT";
    title = `AT command: ${known}`;
    fields.push({ at, len: known.length, name: "command", value: `${known}, ${how}` });
    parameters(at + command[0].length);
  } else if (answer && printable) {
    title = `AT answer: ${answer[1]}`;
    fields.push({ at, len: answer[1].length, name: "answer", value: answer[1] });
    parameters(at + answer[0].length);
  } else if (printable) {
    title = line.startsWith(">") ? "Prompt" : "AT line";
    fields.push({ at, len: end - at, name: line.startsWith(">") ? "prompt" : "line", value: line });
  } else fields.push({ at, len: end - at, name: "bytes", value: readable(line) });
  if (after > end) fields.push({ at: end, len: after - end, name: "line end", value: readable(ascii(bytes, end, after)) });
  return { title, note: "", fields };
}

// The parts as tables: name, bytes, value. Pointing at a field marks its bytes in the dump.
function fieldTables(title, hex, medium, dumped) {
  const parts = dissect(hex, medium);
  const known = parts.filter((part) => part.fields.length);
  if (!known.length) return null;
  const bytes = hex.match(/../g) || [];
  const mark = ({ at, len }, on) => {
    const cells = dumped?.querySelectorAll(".hex > span") || [];
    for (let place = at; place < at + len && place < cells.length; place += 1) cells[place].classList.toggle("marked", on);
  };
  const row = (field) => {
    const some = bytes.slice(field.at, field.at + field.len);
    const short = some.length > 24 ? `${some.slice(0, 24).join(" ")} …` : some.join(" ");
    const line = el("tr", { class: field.bad ? "bad" : null, tabindex: 0 }, el("th", { scope: "row" }, field.name || "field"),
      el("td", { class: "raw" }, short), el("td", { class: "value" }, field.value.length > 600 ? `${field.value.slice(0, 599)}…` : field.value));
    for (const [event, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) line.addEventListener(event, () => mark(field, on));
    return line;
  };
  return el("div", { class: "fields" }, el("h4", {}, title), ...known.map((part) => el("div", {}, el("table", {},
    el("caption", {}, part.title, part.note ? el("small", {}, ` ${part.note}`) : null),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "field"), el("th", { scope: "col" }, "bytes"), el("th", { scope: "col" }, "value"))),
    el("tbody", {}, ...part.fields.map(row))))));
}
