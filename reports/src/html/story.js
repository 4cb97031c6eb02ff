// One run in full: the story in words, the chart, the tape, memories, ledgers.

// How many ledgers are held against each other, how many of their lines, and how many memories are shown.
const SIDES = 6;
const LEDGER_ROWS = 200;
const MEMORIES = 12;

function storyPage(number) {
  const story = page.stories[number];
  const tape = story.tape === null || !page.has_tape[story.tape] ? null : readTape(story.tape);
  const evidence = new Set(story.violations.flatMap((one) => one.evidence.map(([ordinal]) => ordinal)));
  const views = [];
  const full = el("div", { id: "entry", "aria-live": "polite" }, el("p", { class: "note" }, "Select a message for its bytes."));
  const select = (index) => {
    for (const view of views) view.choose(index);
    full.replaceChildren(entryInFull(tape, index));
  };
  const follow = (ordinal) => {
    const index = tape?.byOrdinal.get(ordinal);
    if (index === undefined) return;
    select(index);
    document.getElementById("chart")?.scrollIntoView({ block: "start" });
  };
  const parts = [inWords(story, tape, follow), again(story)];
  let ready = () => {};
  if (tape) {
    const chart = new Chart(tape, evidence, select);
    const list = new TapeList(tape, evidence, select);
    views.push(chart, list);
    parts.push(section("chart", "What happened", chartKey(), el("div", { class: "beside" }, chart.element, full)));
    parts.push(...readOut(tape, story), section("tape", "The tape", list.element));
    ready = () => {
      const first = story.violations[0]?.evidence[0]?.[0] ?? tape.rows.find((row) => row.kind === KIND.fault)?.ordinal;
      const index = tape.byOrdinal.get(first);
      if (index !== undefined) select(index);
    };
  } else if (story.file) {
    parts.push(el("p", { class: "note" }, `What was observed is in ${story.file}, which found no room in this page.`));
  } else {
    parts.push(el("p", { class: "note" }, "No tape was kept of this run."));
  }
  const place = el("nav", { class: "steps" },
    el("a", { href: "#failures" }, "← all"),
    number > 0 ? el("a", { href: `#story-${number - 1}` }, "previous") : null,
    number + 1 < page.stories.length ? el("a", { href: `#story-${number + 1}` }, "next") : null,
    el("span", {}, `${number + 1} of ${page.stories.length}`));
  return [el("main", { class: "story" }, place, ...parts), ready];
}

function inWords(story, tape, follow) {
  const violations = story.violations.map((one) => {
    const lines = one.evidence.map(([ordinal, at, place, text, claim]) => {
      const line = el("button", { type: "button", class: "evidence", "data-ordinal": ordinal, disabled: !tape },
        el("span", { class: "ordinal" }, `#${ordinal}`), el("span", { class: "time" }, seconds(at)), el("span", { class: "where" }, place), el("span", { class: "text" }, claim ? "(says) " : "", text));
      line.addEventListener("click", () => follow(ordinal));
      return line;
    });
    return el("article", { class: "violation" },
      el("h3", {}, el("b", {}, one.id), ` (${one.level}) does not hold`), el("p", { class: "text" }, one.text),
      el("dl", { class: "versus" },
        el("div", {}, el("dt", {}, "Expected"), el("dd", {}, one.expected)),
        el("div", { class: "actual" }, el("dt", {}, "Actual"), el("dd", {}, one.actual))),
      el("p", { class: "note" }, `Seen at ${seconds(one.at)}${lines.length ? " by these entries of the tape:" : "; the oracle quotes no entry of the tape."}`),
      ...lines);
  });
  const facts = story.run.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text)));
  return el("section", { id: "words" },
    el("div", { class: "title" }, badge(story.verdict), el("h1", {}, story.title)),
    el("p", { class: "about" }, story.about),
    story.why ? el("p", { class: "warning" }, story.why) : null,
    ...violations.slice(0, 4),
    violations.length > 4 ? el("details", {}, el("summary", {}, counted(violations.length - 4, "more violation")), ...violations.slice(4)) : null,
    story.more ? el("p", { class: "note" }, `${counted(story.more, "more violation")} in run.json.`) : null,
    el("dl", { class: "facts" }, ...facts));
}

function again(story) {
  const plan = story.plan.length
    ? el("ol", { class: "plan" }, ...story.plan.map((step) => el("li", {}, step)))
    : el("p", {}, "No fault was planned.");
  return section("again", "The plan, and how to run it again", plan,
    story.not_reached.length ? el("div", {}, el("p", {}, "The run never came to:"), el("ul", {}, ...story.not_reached.map((site) => el("li", {}, site)))) : null,
    story.replay ? command(story.replay) : el("p", { class: "note" }, "There is no command to run this again."),
    story.again ? el("p", {}, story.again) : null);
}

function chartKey() {
  const key = [["dark", "no power"], ["held", "card in the field"], ["conn", "connection stands"], ["timer", "a timer runs"], ["timer out", "it runs out"]];
  return el("ul", { class: "legend" }, ...key.map(([name, words]) => el("li", {}, el("i", { class: `swatch ${name}` }), words)),
    el("li", {}, "✕ never arrives"), el("li", {}, "⚡ a planned fault strikes"), el("li", {}, el("i", { class: "swatch proof" }), "evidence"));
}

// What was read off the parties: memories before and after, ledgers beside each other.
function readOut(tape) {
  const memories = new Map();
  const ledgers = new Map();
  for (const [index, exhibits] of tape.exhibits) {
    const row = tape.rows[index];
    for (const one of exhibits) {
      if (one.hex !== undefined) {
        const key = `${row.where} (${counted(one.hex.length / 2, "byte")})`;
        memories.set(key, [...(memories.get(key) || []), { at: row.at, ...one }]);
      } else {
        const sides = ledgers.get(one.of) || ledgers.set(one.of, new Map()).get(one.of);
        sides.set(row.where, { at: row.at, ...one });
      }
    }
  }
  const parts = [];
  if (ledgers.size) parts.push(section("ledgers", "Ledgers side by side", ...[...ledgers].map(([of, sides]) => sideBySide(of, sides))));
  if (memories.size) parts.push(section("memories", "Memories before and after", ...[...memories].slice(0, MEMORIES).map(([name, reads]) => memory(name, reads))));
  return parts;
}

function sideBySide(of, sides) {
  // A party whose ledger is empty says nothing; of many, those with the most to say are shown.
  const told = [...sides.keys()].filter((name) => sides.get(name).lines.length);
  const names = told.sort((a, b) => sides.get(b).lines.length - sides.get(a).lines.length).slice(0, SIDES);
  if (!names.length) return el("p", { class: "note" }, `${of}: every ledger is empty.`);
  const keys = [...new Set(names.flatMap((name) => sides.get(name).lines.map(([key]) => key)))].sort();
  const lines = new Map(names.map((name) => [name, sides.get(name).lines]));
  const body = keys.map((key) => {
    const cells = names.map((name) => lines.get(name).filter(([known]) => known === key));
    const said = names.map((_, at) => cells[at].map(([, amount]) => amount).join(" + "));
    const known = said.filter(Boolean);
    const differs = new Set(known).size > 1;
    const off = differs ? difference(known) : "";
    const cell = (found) => {
      if (!found.length) return el("td", {}, "—");
      const rest = found.length > 3 ? el("small", {}, `and ${grouped(found.length - 3)} more`) : null;
      return el("td", {}, ...found.slice(0, 3).map(([, amount, note]) => el("div", {}, el("b", {}, amount), note ? el("small", {}, note) : null)), rest);
    };
    const row = el("tr", { class: differs ? "differs" : "" }, el("th", { scope: "row" }, key), ...cells.map(cell), el("td", { class: "off" }, off));
    return { row, differs };
  });
  // What differs comes first, as far as there is room.
  body.sort((a, b) => b.differs - a.differs);
  const rows = body.slice(0, LEDGER_ROWS).map(({ row }) => row);
  const more = [...sides.values()].reduce((sum, side) => sum + side.more, 0) + body.length - rows.length;
  const silent = told.length - names.length;
  return el("div", {}, el("h3", {}, of),
    el("div", { class: "scroll" }, el("table", { class: "ledger" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), ...names.map((name) => el("th", { scope: "col" }, name, el("small", {}, `at ${seconds(sides.get(name).at)}`))), el("th", { scope: "col" }, "differs by"))),
      el("tbody", {}, ...rows))),
    silent ? el("p", { class: "note" }, `${counted(silent, "more party")} have ledgers of their own in the trace.`) : null,
    more ? el("p", { class: "note" }, `${counted(more, "more line")} in the trace.`) : null);
}

// By how much two amounts of one unit differ, counted in their last decimal.
function difference(said) {
  const read = said.map((text) => /^(-?)([\d,]+)(?:\.(\d+))?(.*)$/.exec(text.trim()));
  if (read.length !== 2 || read.some((one) => !one) || read[0][4] !== read[1][4]) return "differs";
  const places = Math.max(...read.map((one) => (one[3] || "").length));
  const [a, b] = read.map((one) => Number(`${one[1]}${one[2].replaceAll(",", "")}${(one[3] || "").padEnd(places, "0")}`));
  const digits = String(Math.abs(a - b)).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return text + read[0][4];
}

function memory(name, reads) {
  const after = el("select", { "aria-label": `When ${name} was read` }, ...reads.map((one, at) => el("option", { value: at }, `read at ${seconds(one.at)}`)));
  const changed = (one, at) => at > 0 && one.hex !== reads[at - 1].hex;
  const telling = [reads.findIndex((one) => one.torn.length), reads.findLastIndex(changed)].find((at) => at >= 0);
  after.value = String(telling ?? reads.length - 1);
  const body = el("div");
  const draw = () => {
    const at = Number(after.value);
    const [now, then] = [reads[at], reads[at - 1]];
    const torn = new Set(now.torn);
    const bytes = (one) => one.hex.match(/../g) || [];
    const grid = (one, title) => {
      const cells = bytes(one).map((byte, place) => {
        const changed = then && bytes(then)[place] !== bytes(now)[place];
        const kind = torn.has(place) && one === now ? "torn" : changed ? "differs" : byte === "FF" ? "blank" : "";
        return el("span", { class: kind, title: `${place.toString(16).toUpperCase().padStart(2, "0")}${kind === "torn" ? ": the cut of power overtook its write" : ""}` }, byte);
      });
      return el("div", { class: "cells" }, el("h4", {}, title), el("div", { class: "grid" }, ...cells));
    };
    const count = then ? bytes(now).filter((byte, place) => byte !== bytes(then)[place]).length : 0;
    const words = then ? `${counted(count, "cell")} changed since ${seconds(then.at)}` : "the first time that it was read";
    body.replaceChildren(el("p", { class: "note" }, words + (torn.size ? `; ${counted(torn.size, "cell")} torn, where the cut of power overtook a write.` : ".")),
      el("div", { class: "grids" }, then ? grid(then, `Before, ${seconds(then.at)}`) : null, grid(now, `${then ? "After" : "Read"}, ${seconds(now.at)}`)));
  };
  after.addEventListener("change", draw);
  draw();
  return el("div", { class: "memory" }, el("h3", {}, name), el("div", { class: "tools" }, after), body);
}
