"use strict";
// Everything that is shown was written by strangers: it only ever becomes the text of a node.

const yuan = (fen) => (fen / 100).toFixed(2);
const open = new Set();

function cell(row, content, name) {
  const td = document.createElement("td");
  if (content instanceof Node) td.append(content);
  else td.textContent = content === null || content === undefined ? "" : String(content);
  if (name) td.className = name;
  row.append(td);
}

function fill(id, items, words, render) {
  const body = document.querySelector(`#${id} tbody`);
  const rows = items.map((item) => {
    const row = document.createElement("tr");
    render(row, item);
    return row;
  });
  if (rows.length === 0) {
    const row = document.createElement("tr");
    row.className = "none";
    cell(row, words);
    row.firstChild.colSpan = 9;
    rows.push(row);
  }
  body.replaceChildren(...rows);
}

function trouble(words) {
  const place = document.getElementById("trouble");
  place.textContent = words;
  place.hidden = words === "";
}

async function ask(path, what) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(what),
  });
  const told = await answer.json();
  trouble(answer.ok ? "" : told.error);
  await refresh();
}

function acts(order) {
  const place = document.createElement("span");
  const button = (words, act) => {
    const made = document.createElement("button");
    made.textContent = words;
    made.dataset.act = act;
    made.addEventListener("click", () => {
      const payer = document.getElementById("payer").value;
      ask("api/act", { act, house: order.house, merchant: order.merchant, order: order.number, payer });
    });
    place.append(made);
  };
  if (order.state === "unscanned") button("scans", "scan");
  if (order.state === "waiting") {
    button("pays", "pay");
    button("refuses", "refuse");
  }
  return place;
}

function bodies(entry) {
  const details = document.createElement("details");
  details.open = open.has(entry.ordinal);
  details.addEventListener("toggle", () => (details.open ? open.add : open.delete).call(open, entry.ordinal));
  const summary = document.createElement("summary");
  summary.textContent = "show";
  details.append(summary);
  for (const text of [entry.request, entry.answer]) {
    const pre = document.createElement("pre");
    pre.textContent = text;
    details.append(pre);
  }
  return details;
}

function show(state) {
  const select = document.getElementById("payer");
  const chosen = select.value;
  select.replaceChildren(...state.payers.map((payer) => {
    const option = document.createElement("option");
    option.value = payer.id;
    option.textContent = payer.id;
    option.selected = payer.id === chosen;
    return option;
  }));
  fill("orders", state.orders, "No orders yet.", (row, order) => {
    cell(row, order.made);
    cell(row, order.platform);
    cell(row, order.merchant);
    cell(row, order.number);
    cell(row, order.subject);
    cell(row, yuan(order.amount_fen));
    const back = order.refunded_fen > 0 ? `, ${yuan(order.refunded_fen)} refunded` : "";
    cell(row, order.state + back, order.state);
    cell(row, order.payer);
    cell(row, acts(order));
  });
  fill("findings", state.findings, "None.", (row, finding) => {
    cell(row, finding.what, "bad");
    cell(row, finding.platform);
    cell(row, finding.words);
  });
  fill("notices", state.notices, "None.", (row, notice) => {
    cell(row, notice.order);
    cell(row, notice.url);
    cell(row, notice.tries);
    cell(row, notice.standing);
    cell(row, notice.trouble);
  });
  fill("log", state.log, "No requests yet.", (row, entry) => {
    cell(row, entry.ordinal);
    cell(row, entry.at);
    cell(row, entry.target);
    cell(row, entry.order);
    cell(row, entry.signature, entry.signature);
    cell(row, entry.status);
    cell(row, entry.why);
    cell(row, bodies(entry));
  });
  fill("payers", state.payers, "None.", (row, payer) => {
    cell(row, payer.id);
    cell(row, yuan(payer.balance_fen));
    cell(row, payer.manner.does);
  });
}

async function refresh() {
  try {
    const answer = await fetch("api/state");
    show(await answer.json());
  } catch (error) {
    trouble(`The desk does not answer: ${error.message}`);
  }
}

refresh();
setInterval(refresh, 1000);
