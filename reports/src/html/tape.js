// The tape as a list with filter and search, and the bytes of one message.

class TapeList {
  constructor(tape, evidence, select) {
    Object.assign(this, { tape, evidence, select, found: [], chosen: -1 });
    this.list = new List({ label: "Tape", height: 22, tall: 460, row: (at) => this.row(at) });
    this.filter = el("input", { type: "search", id: "tape-filter", placeholder: "Filter: words, place", "aria-label": "Filter the tape" });
    this.find = el("input", { type: "search", id: "tape-find", placeholder: "Find next (Enter)", "aria-label": "Find in the tape" });
    const places = [...new Set(tape.rows.map((row) => row.where))].sort();
    this.place = el("select", { "aria-label": "Place" }, el("option", { value: "" }, "every place"), ...places.map((name) => el("option", { value: name }, name)));
    const kinds = [...new Set(tape.rows.map((row) => KIND_WORDS[row.kind]))].sort();
    this.kind = el("select", { "aria-label": "Kind" }, el("option", { value: "" }, "every kind"), ...kinds.map((name) => el("option", { value: name }, name)));
    this.tally = el("span", { class: "tally", id: "tape-tally" });
    this.filter.addEventListener("input", slowly(() => this.draw()));
    for (const choice of [this.place, this.kind]) choice.addEventListener("change", () => this.draw());
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
    });
    this.element = el("div", {}, el("div", { class: "tools" }, this.filter, this.place, this.kind, this.find, this.tally), this.list.box);
    this.draw();
  }

  draw() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [place, kind] = [this.place.value, this.kind.value];
    this.found = [];
    this.tape.rows.forEach((row, index) => {
      if ((place && row.where !== place) || (kind && KIND_WORDS[row.kind] !== kind)) return;
      const text = words.length ? lined(row) : "";
      if (words.every((word) => text.includes(word))) this.found.push(index);
    });
    this.tally.textContent = `${grouped(this.found.length)} of ${counted(this.tape.rows.length, "entry")}`;
    this.list.show(this.found.length);
  }

  row(at) {
    const index = this.found[at];
    const row = this.tape.rows[index];
    const classes = ["entry", `k-${KIND_WORDS[row.kind]}`];
    if (this.evidence.has(row.ordinal)) classes.push("proof");
    if (index === this.chosen) classes.push("chosen");
    const line = el("div", { class: classes.join(" "), "data-ordinal": row.ordinal },
      el("span", { class: "ordinal" }, `#${row.ordinal}`), el("span", { class: "time" }, seconds(row.at)),
      el("span", { class: "where" }, row.where), el("span", { class: "text" }, row.claim ? "(says) " : "", row.text),
      row.fate === "lost" ? el("span", { class: "fate" }, "never arrives") : row.fate === "changed" ? el("span", { class: "fate" }, "arrives changed") : null);
    line.addEventListener("click", () => this.select(index));
    return line;
  }

  choose(index) {
    this.chosen = index;
    let at = this.found.indexOf(index);
    if (at < 0) {
      this.filter.value = this.place.value = this.kind.value = "";
      this.draw();
      at = this.found.indexOf(index);
    }
    this.list.reveal(at);
  }

  next(step) {
    const wanted = this.find.value.toLowerCase();
    if (!wanted || !this.found.length) return;
    const all = this.found.length;
    let at = this.found.indexOf(this.chosen);
    for (let tried = 0; tried < all; tried += 1) {
      at = (at + step + all) % all;
      if (lined(this.tape.rows[this.found[at]]).includes(wanted)) {
        this.select(this.found[at]);
        return;
      }
    }
    this.tally.textContent = "not found";
  }
}

function lined(row) {
  return `#${row.ordinal} ${row.where} ${KIND_WORDS[row.kind]} ${row.name} ${row.text} ${row.fate || ""}`.toLowerCase();
}

// One entry in full: what it means, and its bytes as they were sent and as they arrived.
function entryInFull(tape, index) {
  const row = tape.rows[index];
  const sent = row.kind === KIND.heard && row.sent !== undefined ? tape.rows[row.sent] : row.kind === KIND.sent ? row : null;
  const heard = row.kind === KIND.heard ? row : row.heard !== undefined ? tape.rows[row.heard] : null;
  const who = (party) => (party >= 0 && party !== undefined ? tape.parties[party] : "nobody");
  const parts = [el("p", {}, el("b", {}, `#${row.ordinal}`), ` ${seconds(row.at)}, ${row.where}`, row.claim ? ", says so of itself" : "")];
  if (sent || heard) {
    const one = sent || heard;
    parts.push(el("p", { class: "note" }, `From ${who(one.from)} to ${who(one.to)}.`,
      sent && heard ? ` It was on its way for ${span(heard.at - sent.at)}.` : "",
      sent && !heard ? " It never arrives as it was sent." : "", !sent ? " Nobody sent it like this." : "",
      sent && row.fate === "changed" ? " It arrives changed: marked bytes differ." : ""));
  }
  parts.push(el("p", { class: "meaning" }, (sent || row).text));
  const words = asText((sent || heard)?.hex);
  if (words) parts.push(el("p", { class: "note" }, "As text: ", el("code", {}, words)));
  const medium = sent || heard ? tape.links[(sent || heard).place][1] : "";
  const bytes = (title, hex, other) => {
    const dumped = dump(title, hex, other);
    const fields = fieldTables(`${title}, field by field`, hex, medium, dumped);
    parts.push(dumped, fields);
  };
  if (sent?.hex) bytes("Sent", sent.hex, null);
  if (heard?.hex && heard.hex !== sent?.hex) bytes("Arrives", heard.hex, sent?.hex);
  return el("div", { class: "full" }, ...parts.filter(Boolean));
}

// Bytes as text, if that is what they are and the tape shows them otherwise; what cannot be seen is made visible.
function asText(hex) {
  const bytes = (hex || "").match(/../g)?.map((byte) => parseInt(byte, 16)) || [];
  if (!bytes.some((byte) => byte > 127)) return "";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    return text.replace(/[\p{C}\p{Z}]/gu, (one) => (one === " " ? one : `\\u{${one.codePointAt(0).toString(16)}}`));
  } catch {
    return "";
  }
}

// Bytes in hexadecimal digits and as text, sixteen a line; those that differ from `other` are marked.
function dump(title, hex, other) {
  const bytes = hex.match(/../g) || [];
  const lines = [];
  for (let from = 0; from < bytes.length; from += 16) {
    const some = bytes.slice(from, from + 16);
    const differs = (at) => other && other.slice((from + at) * 2, (from + at) * 2 + 2) !== some[at];
    const cells = some.map((byte, at) => el("span", { class: differs(at) ? "differs" : null }, byte));
    const text = some.map((byte) => {
      const code = parseInt(byte, 16);
      return code > 31 && code < 127 ? String.fromCharCode(code) : "·";
    });
    lines.push(el("div", {}, el("span", { class: "offset" }, from.toString(16).padStart(4, "0")), el("span", { class: "hex" }, ...cells.flatMap((cell) => [cell, " "])), el("span", { class: "ascii" }, text.join(""))));
  }
  return el("div", { class: "dump" }, el("h4", {}, `${title}, ${counted(bytes.length, "byte")}`), ...lines);
}
