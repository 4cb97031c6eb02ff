// What everything else uses: elements, words, places.

const VERDICTS = ["pass", "skipped", "waived", "inconclusive", "fail", "broken"];
const MARKS = ["✓", "–", "≈", "?", "✕", "!"];
const SVG = "http://www.w3.org/2000/svg";
const page = JSON.parse(document.getElementById("data").textContent);

// An element with attributes, listeners and children; texts become text nodes and nothing else.
function el(name, given, ...children) {
  return fill(document.createElement(name), given, children);
}

function svg(name, given, ...children) {
  return fill(document.createElementNS(SVG, name), given, children);
}

function fill(element, given, children) {
  for (const [key, value] of Object.entries(given || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) {
    if (child !== undefined && child !== null && child !== false) element.append(child);
  }
  return element;
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

function counted(number, noun) {
  if (number === 1) return `1 ${noun}`;
  const many = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${grouped(number)} ${many}`;
}

function seconds(us) {
  const whole = Math.floor(us / 1e6);
  return `${grouped(whole)}.${String(us % 1e6).padStart(6, "0")} s`;
}

// A span in the unit that reads best.
function span(us) {
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms`;
  if (us < 120e6) return `${(us / 1e6).toFixed(us < 1e7 ? 1 : 0)} s`;
  return `${Math.round(us / 60e6)} min`;
}

function badge(verdict) {
  return el("span", { class: `badge v-${VERDICTS[verdict]}` }, `${MARKS[verdict]} ${VERDICTS[verdict]}`);
}

// A command with a button that copies it.
function command(text) {
  const button = el("button", { class: "copy", type: "button", title: "Copy the command" }, "Copy");
  button.addEventListener("click", async () => {
    const done = await copied(text);
    button.textContent = done ? "Copied" : "Select it";
    setTimeout(() => (button.textContent = "Copy"), 1600);
  });
  return el("div", { class: "command" }, el("code", {}, text), button);
}

// Copies a text where the browser lets a page from disk do so, and otherwise by way of a selection.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "aside", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function section(id, title, ...children) {
  return el("section", { id }, el("h2", {}, title), ...children);
}

// Calls back once typing has paused.
function slowly(callback) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(callback, 80);
  };
}
