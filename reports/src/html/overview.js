// The first page: the verdict and what it covers, requirements, failures, mutants, margins, cases.

function overview() {
  const parts = [hero()];
  if (page.stories.length) parts.push(failures());
  if (page.requirements.length) parts.push(matrix());
  if (page.explorations.length) parts.push(faults());
  if (page.mutants.length) parts.push(kills());
  if (page.margins.length) parts.push(margins());
  if (page.cases.length) parts.push(cases());
  return el("main", {}, ...parts);
}

function hero() {
  const total = page.counts.reduce((sum, count) => sum + count, 0);
  const bar = el("div", { class: "bar", role: "img", "aria-label": page.covers[0] });
  page.counts.forEach((count, verdict) => {
    if (!count) return;
    const part = el("span", { class: `v-${VERDICTS[verdict]}`, title: `${grouped(count)} ${VERDICTS[verdict]}` });
    part.style.flexGrow = String(Math.max(count, total / 100));
    bar.append(part);
  });
  const legend = page.counts.map((count, verdict) =>
    count ? el("li", {}, el("i", { class: `dot v-${VERDICTS[verdict]}` }), `${grouped(count)} ${VERDICTS[verdict]}`) : null,
  );
  const facts = page.facts.map(([label, text]) => el("div", {}, el("dt", {}, label), el("dd", {}, text)));
  return el(
    "section",
    { class: "hero", id: "verdict" },
    el("div", { class: `verdict v-${VERDICTS[page.verdict]}` },
      el("span", { class: "mark" }, MARKS[page.verdict]),
      el("h1", {}, VERDICTS[page.verdict])),
    el("div", { class: "covers" },
      ...page.covers.map((text) => el("p", {}, text)),
      total ? bar : null,
      total ? el("ul", { class: "legend" }, ...legend) : null,
      ...page.warnings.map((text) => el("p", { class: "warning" }, text))),
    el("dl", { class: "facts" }, ...facts),
    command(page.command),
  );
}

function failures() {
  const item = (story, index) => {
    const first = story.violations[0];
    return el("li", {},
      el("a", { class: "failure", href: `#story-${index}` },
        el("span", { class: "top" },
          badge(story.verdict),
          first ? el("b", {}, first.id) : null,
          el("span", { class: "id" }, story.title)),
        el("span", { class: "what" }, first ? first.actual : story.why),
        story.plan.length ? el("span", { class: "plan" }, story.plan.slice(0, 3).join(" ")) : null));
  };
  const list = el("ul", { class: "failures" });
  const all = page.stories.map(item);
  const more = el("button", { type: "button", class: "more" });
  const show = (count) => {
    list.replaceChildren(...all.slice(0, count));
    more.hidden = count >= all.length;
    more.textContent = `Show all ${grouped(all.length)}`;
  };
  more.addEventListener("click", () => show(all.length));
  show(12);
  const left = page.stories_left_out;
  return section("failures", "What failed or stayed open", list, more,
    left ? el("p", { class: "note" }, `${counted(left, "more run")} of this kind in run.json.`) : null);
}

// Requirements down, benches across; a cell is the worst that any case says there.
function matrix() {
  const columns = [...new Set(page.cases.map((one) => `${one.bench}\n${one.policy}`))].sort();
  const place = new Map(columns.map((column, at) => [column, at]));
  const cells = page.requirements.map(() => columns.map(() => null));
  page.cases.forEach((one, number) => {
    const at = place.get(`${one.bench}\n${one.policy}`);
    for (const [requirement, verdict, judged] of one.judged) {
      const cell = (cells[requirement][at] ||= { worst: -1, judged: 0, cases: [] });
      const counts = judged > 0 || verdict === 1 || verdict === 2;
      if (counts) cell.worst = Math.max(cell.worst, verdict);
      cell.judged += judged;
      cell.cases.push([number, verdict, judged]);
    }
  });
  const order = page.requirements.map((_, at) => at);
  const bad = (at) => Math.max(...cells[at].map((cell) => (cell ? cell.worst : -1)));
  const natural = new Intl.Collator("en", { numeric: true });
  order.sort((a, b) => natural.compare(page.requirements[a].id, page.requirements[b].id));
  const body = el("tbody");
  const filter = el("input", { type: "search", placeholder: "Filter requirements", "aria-label": "Filter requirements" });
  const only = el("input", { type: "checkbox", id: "only-bad" });
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const rows = order.filter((at) => {
      const { id, text } = page.requirements[at];
      return (!only.checked || bad(at) !== 0) && `${id} ${text}`.toLowerCase().includes(wanted);
    });
    body.replaceChildren(...rows.map((at) => matrixRow(at, cells[at], columns)));
  };
  filter.addEventListener("input", slowly(draw));
  only.addEventListener("change", draw);
  draw();
  const heads = columns.map((column) => {
    const [bench, policy] = column.split("\n");
    return el("th", { scope: "col" }, bench, el("small", {}, policy));
  });
  return section("requirements", "Requirements by bench",
    el("p", { class: "note" }, "A cell shows the worst verdict there, and how often an oracle was in a position to fail. Select one for the cases behind it."),
    el("div", { class: "tools" }, filter, el("label", {}, only, " only what is not met everywhere")),
    el("div", { class: "scroll" }, el("table", { class: "matrix" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Requirement"), ...heads)), body)));
}

function matrixRow(at, cells, columns) {
  const { id, level, text } = page.requirements[at];
  const row = el("tr", {}, el("th", { scope: "row" },
    el("b", {}, id), el("small", {}, level), el("span", { class: "text" }, text)));
  cells.forEach((cell, column) => row.append(el("td", {}, matrixCell(cell, columns[column], row, column))));
  return row;
}

function matrixCell(cell, column, row) {
  if (!cell) return el("span", { class: "empty", title: "No case shows it there" }, "·");
  const known = cell.worst >= 0;
  const kind = known ? VERDICTS[cell.worst] : "unjudged";
  const words = known ? VERDICTS[cell.worst] : "never judged";
  const button = el("button", { type: "button", class: `cell v-${kind}`, title: `${words}, judged ${grouped(cell.judged)} times` },
    known ? MARKS[cell.worst] : "○", el("small", {}, grouped(cell.judged)));
  button.addEventListener("click", () => {
    const open = row.nextElementSibling?.classList.contains("behind") ? row.nextElementSibling : null;
    const same = open && open.dataset.column === column;
    open?.remove();
    if (!same) row.after(behind(cell, column, row.children.length));
  });
  return button;
}

function behind(cell, column, wide) {
  const sorted = [...cell.cases].sort((a, b) => b[1] - a[1] || b[2] - a[2]);
  const items = sorted.slice(0, 60).map(([number, verdict, judged]) => {
    const one = page.cases[number];
    const name = one.story !== null ? el("a", { href: `#story-${one.story}` }, one.id) : el("span", {}, one.id);
    const words = judged ? `judged ${counted(judged, "time")}` : "not in a position to judge";
    return el("li", {}, badge(judged || verdict > 0 ? verdict : 3), name, el("small", {}, words), el("span", { class: "text" }, one.title));
  });
  const more = sorted.length - items.length;
  const row = el("tr", { class: "behind" }, el("td", { colspan: wide },
    el("b", {}, column.replace("\n", ", ")), el("ul", {}, ...items), more > 0 ? el("p", {}, `and ${counted(more, "more case")}`) : null));
  row.dataset.column = column;
  return row;
}

// Mutants down, the cases that kill them across.
function kills() {
  // In the order in which they first kill, so that what belongs together is close together.
  const names = [...new Set(page.mutants.flatMap((mutant) => mutant.by.map(([name]) => name)))];
  const head = names.map((name, at) => el("th", { scope: "col", title: name }, String(at + 1)));
  const rows = page.mutants.map((mutant) => {
    const by = new Map();
    for (const [name, requirement] of mutant.by) by.set(name, [...(by.get(name) || []), requirement]);
    const cells = names.map((name) => {
      const found = by.get(name);
      return el("td", { class: found ? "hit" : "", title: found ? `${name}: ${found.join(", ")}` : "" }, found ? "●" : "");
    });
    return el("tr", { class: mutant.killed ? "" : "survived" },
      el("th", { scope: "row" }, el("b", {}, mutant.name), el("span", { class: "text" }, mutant.what)),
      el("td", { class: "broke" }, mutant.killed ? [...new Set(mutant.by.map(([, id]) => id))].join(", ") : "survived"),
      ...cells);
  });
  return section("mutants", "Which case kills which mutant",
    el("p", { class: "note" }, `${page.mutants_told} A mutant is the reference with one choice turned bad; a mutant that survives is a hole in the suite.`),
    el("div", { class: "scroll" }, el("table", { class: "kills" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Mutant"), el("th", { scope: "col" }, "Breaks"), ...head)),
      el("tbody", {}, ...rows))),
    el("details", {}, el("summary", {}, "What the numbers mean"), el("ol", { class: "names" }, ...names.map((name) => el("li", {}, name)))));
}

// Timers and counts down; what changes, and how little disturbance it takes.
function margins() {
  const tables = page.margins.map((one) => el("div", {}, el("p", { class: "note" }, one.told),
    el("div", { class: "scroll" }, el("table", { class: "margins" },
      el("thead", {}, el("tr", {}, ...["Timer or count", "What comes otherwise", "From", "Message", "Case"].map((words) => el("th", { scope: "col" }, words)))),
      el("tbody", {}, ...one.rows.map(([name, what, from, message, where], at) => {
        const repeats = at > 0 && one.rows[at - 1][0] === name;
        return el("tr", { class: repeats ? "" : "first" }, el("th", { scope: "row" }, repeats ? "" : name), el("td", {}, what), el("td", { class: "amount" }, from), el("td", {}, el("code", {}, message)), el("td", {}, where));
      })))),
    ...one.notes.map((note) => el("p", { class: "note" }, note))));
  return section("margins", "How far it is to where something else comes of it", ...tables);
}

// Every case, with a filter over everything that is said of it.
function cases() {
  let found = page.cases;
  const row = (index) => {
    const one = found[index];
    const name = one.story !== null ? el("a", { href: `#story-${one.story}` }, one.id) : el("span", {}, one.id);
    return el("div", { class: "case" }, badge(one.verdict), el("span", { class: "id", title: one.title }, name),
      el("small", {}, `${one.bench}, ${one.policy}, seed ${one.seed}`), el("span", { class: "what" }, one.why || one.title));
  };
  const list = new List({ label: "Cases", height: 34, tall: 540, row });
  const filter = el("input", { type: "search", id: "case-filter", placeholder: "Filter cases: id, bench, reason", "aria-label": "Filter cases" });
  const chosen = new Set();
  const tally = el("span", { class: "tally", id: "case-tally" });
  const draw = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = page.cases.filter((one) => {
      const text = `${one.id} ${one.title} ${one.bench} ${one.policy} ${one.why} ${VERDICTS[one.verdict]}`.toLowerCase();
      return (!chosen.size || chosen.has(one.verdict)) && words.every((word) => text.includes(word));
    });
    tally.textContent = `${grouped(found.length)} of ${counted(page.cases.length, "case")}`;
    list.box.scrollTop = 0;
    list.show(found.length);
  };
  const buttons = page.counts.map((count, verdict) => {
    if (!count) return null;
    const button = el("button", { type: "button", class: `chip v-${VERDICTS[verdict]}`, "aria-pressed": "false" }, `${VERDICTS[verdict]} ${grouped(count)}`);
    button.addEventListener("click", () => {
      if (!chosen.delete(verdict)) chosen.add(verdict);
      button.setAttribute("aria-pressed", String(chosen.has(verdict)));
      draw();
    });
    return button;
  });
  filter.addEventListener("input", slowly(draw));
  draw();
  return section("cases", "Every case", el("div", { class: "tools" }, filter, ...buttons, tally), list.box);
}
