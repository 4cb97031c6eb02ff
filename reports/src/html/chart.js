// The sequence chart: parties as lifelines, one line down for each thing that happens, whatever time lies between.

const KIND = { step: 0, sent: 1, heard: 2, opened: 3, closed: 4, level: 5, power: 6, plug: 7, fault: 8, overrun: 9, noted: 10 };
const KIND_WORDS = ["case", "sent", "arrives", "connection", "connection", "level", "power", "card", "fault", "overrun", "noted"];
const LINE = 30;
const SILENCE = 2e6;
// More lifelines than this nobody follows.
const PARTIES = 12;
// More links than this have no switch of their own.
const SWITCHES = 24;

// A tape as objects, with the messages that were sent and those that arrived brought together.
function readTape(number) {
  const source = document.getElementById(`tape-${number}`);
  if (!source) return null;
  const raw = JSON.parse(source.textContent);
  const text = (at) => (at < 0 ? "" : raw.texts[at]);
  let at = 0;
  const rows = raw.rows.map(([ordinal, since, kind, place, flags, words, bytes, name]) => {
    at += since;
    return {
      ordinal, at, kind, place, back: (flags & 1) === 1, on: (flags & 2) === 2, claim: (flags & 4) === 4, conn: flags >> 3,
      text: text(words), hex: text(bytes), name: kind === KIND.plug ? name : text(name),
    };
  });
  const onLink = (row) => (row.kind >= KIND.sent && row.kind <= KIND.level) || row.kind === KIND.plug;
  for (const row of rows) {
    if (onLink(row)) row.where = raw.links[row.place][0] + (row.kind === KIND.plug ? "" : row.back ? "<" : ">");
    else if (row.kind === KIND.power) row.where = raw.supplies[row.place][0];
    else if (row.place >= 0) row.where = raw.parties[row.place];
    else row.where = KIND_WORDS[row.kind];
  }
  const timers = raw.timers.map(([party, name, from, until, out]) => ({ party, name: text(name), from, until, out: out === 1 }));
  const tape = { ...raw, rows, timers, exhibits: new Map(raw.exhibits), byOrdinal: new Map(rows.map((row, index) => [row.ordinal, index])) };
  tape.exhibits = new Map(raw.exhibits);
  seat(tape);
  pair(tape);
  return tape;
}

// Who is at the ends of a link when something crosses it: a card is at the far end of a field while it is there.
function seat(tape) {
  const ends = tape.links.map(([, , pair]) => [...pair]);
  for (const row of tape.rows) {
    if (row.kind === KIND.plug) {
      if (row.on) ends[row.place][1] = row.name;
      row.from = row.name;
      row.to = ends[row.place][0];
      if (!row.on) ends[row.place][1] = -1;
    } else if (row.kind >= KIND.sent && row.kind <= KIND.level) {
      const [a, b] = ends[row.place];
      [row.from, row.to] = row.back ? [b, a] : [a, b];
    }
  }
}

// Finds for what arrives what was sent: in order, however a stream is cut; what is left over was lost or changed.
function pair(tape) {
  const waiting = new Map();
  tape.rows.forEach((row, index) => {
    if (row.kind !== KIND.sent && row.kind !== KIND.heard) return;
    const key = `${row.place} ${row.back} ${row.conn}`;
    const queue = waiting.get(key) || waiting.set(key, []).get(key);
    if (row.kind === KIND.sent) {
      row.fate = "lost";
      queue.push({ index, rest: row.hex });
      return;
    }
    let rest = row.hex;
    const whole = queue.findIndex((one) => one.rest === rest);
    if (whole >= 0) {
      arrive(tape, queue, whole, index, "ok");
      return;
    }
    let matched = false;
    while (queue.length && rest && queue[0].rest && rest.startsWith(queue[0].rest)) {
      rest = rest.slice(queue[0].rest.length);
      arrive(tape, queue, 0, index, "ok");
      matched = true;
    }
    if (queue.length && rest && queue[0].rest.startsWith(rest)) {
      queue[0].rest = queue[0].rest.slice(rest.length);
      row.sent = queue[0].index;
      matched = true;
    } else if (rest && !matched && queue.length) {
      arrive(tape, queue, 0, index, "changed");
      matched = true;
    }
    row.orphan = !matched;
  });
}

function arrive(tape, queue, place, index, fate) {
  const [one] = queue.splice(place, 1);
  Object.assign(tape.rows[one.index], { fate, heard: index });
  tape.rows[index].sent = one.index;
}

class Chart {
  constructor(tape, evidence, select) {
    Object.assign(this, { tape, evidence, select, hidden: new Set(), notes: false, timers: tape.timers.length > 0, chosen: -1 });
    this.head = el("div", { class: "chart-head" });
    this.layer = svg("svg", { class: "chart-layer", role: "img", "aria-label": "Sequence chart" });
    this.body = el("div", { class: "chart-body" }, this.head, this.layer);
    this.box = el("div", { class: "chart", tabindex: 0 }, this.body);
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.lay()).observe(this.box);
    this.told = el("p", { class: "note" });
    this.element = el("div", {}, this.tools(), this.told, this.box);
    this.lay();
  }

  tools() {
    const used = new Map();
    for (const row of this.tape.rows) {
      if (row.kind === KIND.sent) used.set(row.place, (used.get(row.place) || 0) + 1);
    }
    // Pulses of a field are many and say little; what came of them is noted by the card.
    for (const [place, count] of used) {
      if (this.tape.links[place][1] === "field" && count > 40) this.hidden.add(place);
    }
    const toggle = (pressed, words, title, change) => {
      const button = el("button", { type: "button", class: "chip", "aria-pressed": String(pressed), title }, words);
      button.addEventListener("click", () => {
        const now = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(now));
        change(now);
        this.lay();
      });
      return button;
    };
    const links = [...used].slice(0, SWITCHES).map(([place, count]) => {
      const [name, medium] = this.tape.links[place];
      return toggle(!this.hidden.has(place), name, `${medium}, ${counted(count, "message")}`, (now) => (now ? this.hidden.delete(place) : this.hidden.add(place)));
    });
    const notes = toggle(false, "what parties note", "Show what parties say and what is read off them", (now) => (this.notes = now));
    const timers = toggle(this.timers, "timers", "Show for how long the next timer of each party runs", (now) => (this.timers = now));
    return el("div", { class: "tools" }, ...links, notes, this.tape.timers.length ? timers : null);
  }

  // Decides what is on which line, and which lifelines there are.
  lay() {
    const { rows } = this.tape;
    this.kept = this.company();
    this.told.textContent = this.kept ? `${this.kept.size} of ${grouped(this.tape.parties.length)} parties are drawn: those of the evidence, and the busiest.` : "";
    this.lines = [];
    this.lineOf = new Map();
    const seen = new Set();
    let before = null;
    rows.forEach((row, index) => {
      if (!this.shows(row, index)) return;
      if (before !== null && row.at - before > SILENCE) this.lines.push({ silence: row.at - before });
      before = row.at;
      this.lineOf.set(index, this.lines.length);
      this.lines.push({ index });
      for (const party of [row.from, row.to, row.kind === KIND.noted || row.kind === KIND.overrun ? row.place : -1]) {
        if (party >= 0 && party !== undefined) seen.add(party);
      }
    });
    this.parties = [...seen].sort((a, b) => a - b);
    this.spans();
    const left = 92;
    const wide = Math.max(this.box.clientWidth - 20, left + this.parties.length * 112);
    this.x = new Map(this.parties.map((party, at) => [party, left + ((at + 0.5) * (wide - left)) / Math.max(1, this.parties.length)]));
    this.wide = wide;
    this.body.style.width = `${wide}px`;
    this.body.style.height = `${this.lines.length * LINE + 40}px`;
    this.head.replaceChildren(...this.parties.map((party) => {
      const name = el("span", {}, this.tape.parties[party]);
      name.style.left = `${this.x.get(party)}px`;
      return name;
    }));
    this.drawn = null;
    this.draw();
  }

  // Of many parties, those that the evidence names, and whoever most of them talk to.
  company() {
    const all = this.tape.parties.length;
    if (all <= PARTIES) return null;
    const named = new Map();
    const name = (party, weight) => party >= 0 && party !== undefined && named.set(party, (named.get(party) || 0) + weight);
    this.tape.rows.forEach((row, index) => {
      const weight = index === this.chosen ? 1e12 : this.evidence.has(row.ordinal) ? 1e6 : 1;
      name(row.from, weight);
      name(row.to, weight);
      if (row.kind === KIND.noted && weight > 1) name(row.place, weight);
    });
    const order = [...named].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return new Set(order.slice(0, PARTIES).map(([party]) => party));
  }

  shows(row, index) {
    const far = (party) => this.kept && party >= 0 && party !== undefined && !this.kept.has(party);
    if (far(row.from) || far(row.to)) return false;
    if (this.evidence.has(row.ordinal) || index === this.chosen) return row.kind !== KIND.heard || row.sent === undefined;
    if (row.kind === KIND.noted) return this.notes;
    if (row.kind === KIND.level) return false;
    if (row.kind === KIND.heard) return row.orphan && !this.hidden.has(row.place);
    if (row.kind >= KIND.sent && row.kind <= KIND.closed) return !this.hidden.has(row.place);
    return true;
  }

  // For how long a party had no power, and a card was in a field.
  spans() {
    const end = this.lines.length;
    const open = new Map();
    this.held = [];
    this.lines.forEach(({ index }, line) => {
      const row = index === undefined ? null : this.tape.rows[index];
      if (row?.kind === KIND.power) {
        for (const party of this.tape.supplies[row.place][1]) this.span(open, `dark ${party}`, party, "dark", line, !row.on);
      } else if (row?.kind === KIND.plug) {
        this.span(open, `card ${row.place}`, row.name, "held", line, row.on);
      } else if (row?.kind === KIND.opened || row?.kind === KIND.closed) {
        this.span(open, `conn ${row.place} ${row.conn} ${row.back}`, row.to, "conn", line, row.kind === KIND.opened);
      }
    });
    for (const span of open.values()) span.to = end;
    if (this.timers) this.clocks();
  }

  // Timers, from the first line at or behind their beginning to the one at their end; what lies between two lines is left out.
  clocks() {
    const shown = [];
    this.lines.forEach(({ index }, line) => index !== undefined && shown.push([this.tape.rows[index].at, line]));
    const first = (time) => {
      let [low, high] = [0, shown.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (shown[middle][0] < time) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    for (const timer of this.tape.timers) {
      const [from, until] = [first(timer.from), first(timer.until)];
      if (from >= shown.length || from >= until) continue;
      const to = until < shown.length ? shown[until][1] : this.lines.length;
      this.held.push({ party: timer.party, what: timer.out ? "timer out" : "timer", from: shown[from][1], to, timer });
    }
  }

  span(open, key, party, what, line, begins) {
    const before = open.get(key);
    if (before) {
      before.to = line;
      open.delete(key);
    }
    if (begins) {
      const span = { party, what, from: line, to: line };
      this.held.push(span);
      open.set(key, span);
    }
  }

  draw() {
    const top = Math.max(0, Math.floor((this.box.scrollTop - 40) / LINE) - 10);
    const last = Math.min(this.lines.length, top + Math.ceil((this.box.clientHeight || 600) / LINE) + 24);
    const key = `${top} ${last} ${this.chosen} ${this.wide}`;
    if (this.drawn === key) return;
    this.drawn = key;
    const tall = Math.max(1, (last - top) * LINE);
    const parts = [];
    for (const party of this.parties) {
      parts.push(svg("line", { class: "life", x1: this.x.get(party), x2: this.x.get(party), y1: 0, y2: tall }));
    }
    for (const span of this.held) {
      if (span.to < top || span.from > last || !this.x.has(span.party)) continue;
      const from = (Math.max(span.from, top - 1) - top + 0.5) * LINE;
      const to = (Math.min(span.to, last + 1) - top + 0.5) * LINE;
      const [shift, width] = { dark: [-7, 14], held: [-4, 8], conn: [5, 3] }[span.what] || [-11, 3];
      const bar = svg("rect", { class: `span ${span.what}`, x: this.x.get(span.party) + shift, y: from, width, height: Math.max(2, to - from), rx: 2 });
      if (span.timer) bar.append(svg("title", {}, timed(span.timer)));
      parts.push(bar);
      if (span.timer && span.from >= top) parts.push(svg("text", { class: "timer-name", x: this.x.get(span.party) + shift - 3, y: from + 10, "text-anchor": "end" }, span.timer.name));
    }
    for (let line = top; line < last; line += 1) parts.push(this.line(line, (line - top) * LINE + LINE / 2));
    fill(this.layer, { width: this.wide, height: tall, viewBox: `0 0 ${this.wide} ${tall}` }, []);
    this.layer.style.top = `${40 + top * LINE}px`;
    this.layer.replaceChildren(arrowheads(), ...parts);
  }

  line(line, y) {
    const { index, silence } = this.lines[line];
    if (silence) {
      return svg("g", { class: "silence" }, svg("text", { x: 84, y: y + 4, "text-anchor": "end" }, `⋮ ${span(silence)}`));
    }
    const row = this.tape.rows[index];
    const proof = this.evidence.has(row.ordinal);
    const group = svg("g", { class: `line k-${KIND_WORDS[row.kind]}${proof ? " proof" : ""}${index === this.chosen ? " chosen" : ""}`, "data-ordinal": row.ordinal },
      svg("title", {}, `#${row.ordinal} ${seconds(row.at)} ${row.where} ${row.text}`),
      svg("rect", { class: "band", x: 0, y: y - LINE / 2, width: this.wide, height: LINE }),
      svg("text", { class: "time", x: 84, y: y + 4, "text-anchor": "end" }, (row.at / 1e6).toFixed(3)));
    group.append(...this.mark(row, y));
    group.addEventListener("click", () => this.select(index));
    return group;
  }

  mark(row, y) {
    const across = row.kind === KIND.sent || row.kind === KIND.heard || row.kind === KIND.opened || row.kind === KIND.closed || row.kind === KIND.plug;
    if (across) return this.arrow(row, y);
    const centre = (party) => this.x.get(party) ?? 100;
    if (row.kind === KIND.power) {
      const feeds = this.tape.supplies[row.place][1];
      return [
        ...feeds.filter((party) => this.x.has(party)).map((party) => svg("circle", { class: row.on ? "power-on" : "power-off", cx: centre(party), cy: y, r: 7 })),
        this.words(`${row.on ? "power back" : "power cut"}: ${this.tape.supplies[row.place][0]}`, Math.min(...feeds.map(centre)) + 12, y - 3, this.wide),
      ];
    }
    if (row.kind === KIND.noted || row.kind === KIND.overrun || row.kind === KIND.level) {
      const party = row.kind === KIND.level ? row.from : row.place;
      const x = centre(party);
      const right = x > this.wide * 0.6;
      const room = right ? x - 110 : this.wide - x - 20;
      return [svg("circle", { class: "note", cx: x, cy: y, r: 4 }), this.words(row.text, right ? x - 10 : x + 10, y + 4, room, right ? "end" : "start")];
    }
    return [this.words(`${row.kind === KIND.fault ? "⚡ " : ""}${row.text}`, 98, y + 4, this.wide - 100)];
  }

  arrow(row, y) {
    const from = this.x.get(row.from);
    const to = this.x.get(row.to);
    const words = row.kind === KIND.plug ? (row.on ? "card enters the field" : "card leaves the field") : row.text;
    if (from === undefined || to === undefined || from === to) {
      const x = from ?? to ?? 100;
      return [svg("circle", { class: "note", cx: x, cy: y, r: 4 }), this.words(words, x + 10, y + 4, this.wide - x - 20)];
    }
    const lost = row.fate === "lost";
    const end = lost ? from + (to - from) * 0.55 : to;
    const state = lost ? "lost" : row.fate === "changed" ? "changed" : row.orphan ? "orphan" : "";
    const parts = [
      svg("line", { class: `arrow ${state}`, x1: from, y1: y + 5, x2: end + (lost ? 0 : to > from ? -2 : 2), y2: y + 5, "marker-end": lost ? null : "url(#head)" }),
      this.words(words, (from + to) / 2, y - 1, Math.abs(to - from) - 16, "middle"),
    ];
    if (lost) parts.push(svg("text", { class: "cross", x: end, y: y + 10, "text-anchor": "middle" }, "✕"));
    return parts;
  }

  words(text, x, y, room, anchor = "start") {
    const most = Math.max(6, Math.floor(room / 6.3));
    const short = [...text].length > most ? `${[...text].slice(0, most - 1).join("")}…` : text;
    return svg("text", { class: "words", x, y, "text-anchor": anchor }, short);
  }

  choose(index) {
    this.chosen = index;
    const row = this.tape.rows[index];
    const shown = row.kind === KIND.heard && row.sent !== undefined ? row.sent : index;
    if (!this.lineOf.has(shown)) this.lay();
    let line = this.lineOf.get(shown);
    if (line === undefined) {
      const earlier = [...this.lineOf.keys()].filter((known) => known <= index);
      line = earlier.length ? this.lineOf.get(earlier[earlier.length - 1]) : 0;
    } else this.chosen = shown;
    this.box.scrollTop = Math.max(0, line * LINE - (this.box.clientHeight || 480) / 2 + 40);
    const x = [row.from, row.to, row.kind === KIND.noted ? row.place : -1].map((party) => this.x.get(party)).filter((known) => known !== undefined);
    const middle = x.reduce((sum, one) => sum + one, 0) / Math.max(1, x.length);
    this.box.scrollLeft = Math.max(0, middle - this.box.clientWidth / 2);
    this.drawn = null;
    this.draw();
  }
}

// A timer in words.
function timed({ name, from, until, out }) {
  return `${name}: set at ${seconds(from)}, ${out ? "runs out" : "taken back or set anew"} after ${span(until - from)}`;
}

function arrowheads() {
  return svg("defs", {}, svg("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
    svg("path", { d: "M0 0 8 4 0 8Z", class: "tip" })));
}
