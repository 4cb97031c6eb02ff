// The fault map: sites down, kinds of fault across.

function faults() {
  const choice = el("select", { "aria-label": "Exploration" }, ...page.explorations.map((one, at) =>
    el("option", { value: at }, `${MARKS[one.verdict]} ${one.name}`)));
  const body = el("div");
  const draw = () => body.replaceChildren(exploration(page.explorations[Number(choice.value)]));
  choice.addEventListener("change", draw);
  const worst = page.explorations.reduce((best, one, at) => (one.verdict > page.explorations[best].verdict ? at : best), 0);
  choice.value = String(worst);
  draw();
  return section("faults", "Faults that were struck", el("div", { class: "tools" }, choice), body);
}

function exploration(one) {
  return el("div", {},
    el("p", {}, badge(one.verdict), " ", one.coverage),
    el("p", { class: "note" }, one.subject),
    one.why ? el("p", { class: "warning" }, one.why) : null,
    one.rows.length ? faultMap(one) : null,
    one.causes.length ? causes(one) : null,
    tallies("By kind of fault", one.by_kind), tallies("By place", one.by_place));
}

function faultMap(one) {
  const detail = el("p", { class: "detail", "aria-live": "polite" }, "Select a square for its numbers.");
  const heads = one.kinds.map((kind) => el("th", { scope: "col" }, el("span", {}, kind)));
  const rows = one.rows.map(([site, sites, cells]) => {
    const squares = one.kinds.map(() => el("td"));
    for (const cell of cells) squares[cell[0]].append(square(cell, site, one.kinds[cell[0]], detail));
    return el("tr", {}, el("th", { scope: "row" }, site, sites > 1 ? el("small", {}, `×${grouped(sites)}`) : null), ...squares);
  });
  const key = [["pass", "held"], ["fail", "violated"], ["inconclusive", "says nothing"], ["part", "struck in part"], ["none", "not struck"]];
  return el("div", {},
    el("ul", { class: "legend" }, ...key.map(([name, words]) => el("li", {}, el("i", { class: `square s-${name}` }), words)),
      el("li", {}, el("i", { class: "square" }), "does not apply")),
    el("div", { class: "scroll map" }, el("table", { class: "faults" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Site, and how often the run comes to it"), ...heads)), el("tbody", {}, ...rows))),
    detail);
}

function square([, total, struck, failed, unclear, violated], site, kind, detail) {
  const state = !struck ? "none" : failed ? "fail" : unclear ? "inconclusive" : struck < total ? "part" : "pass";
  const words = `${kind} at ${site}: ${grouped(struck)} of ${counted(total, "value")} struck`
    + (failed ? `, ${grouped(failed)} violated ${violated}` : struck ? ", everything held" : "")
    + (unclear ? `, ${grouped(unclear)} say nothing` : "") + ".";
  const mark = failed ? "✕" : unclear ? "?" : "";
  const button = el("button", { type: "button", class: `square s-${state}${struck && struck < total ? " partly" : ""}`, title: words, "aria-label": words }, mark);
  button.addEventListener("click", () => (detail.textContent = words));
  return button;
}

function causes(one) {
  const items = one.causes.map((cause) => el("li", {},
    el("b", {}, cause.requirement), " ",
    cause.story !== null ? el("a", { href: `#story-${cause.story}` }, cause.cause) : cause.cause,
    el("small", {}, counted(cause.count, "time")), el("span", { class: "text" }, cause.actual)));
  return el("div", {}, el("h3", {}, "What caused violations"), el("ol", { class: "causes" }, ...items));
}

function tallies(title, rows) {
  if (rows.length < 2) return null;
  const body = rows.map(([name, numbers]) => el("tr", {}, el("th", { scope: "row" }, name), ...numbers.map((number) => el("td", {}, grouped(number)))));
  return el("details", {}, el("summary", {}, title), el("div", { class: "scroll" }, el("table", { class: "numbers" },
    el("thead", {}, el("tr", {}, ...["", "sites", "struck", "of", "violations"].map((word) => el("th", { scope: "col" }, word)))),
    el("tbody", {}, ...body))));
}
