// Which page is shown: the overview, or the story that the address names.

function header() {
  const links = [["failures", "Failures"], ["requirements", "Requirements"], ["faults", "Faults"], ["mutants", "Mutants"], ["margins", "Margins"], ["cases", "Cases"]];
  const has = { failures: page.stories, requirements: page.requirements, faults: page.explorations, mutants: page.mutants, margins: page.margins, cases: page.cases };
  const theme = el("button", { type: "button", class: "theme", title: "Light, dark, or as the system has it" }, "◐");
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const next = { undefined: "light", light: "dark", dark: undefined }[root.dataset.theme];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
  });
  return el("header", {}, el("a", { class: "brand", href: "#verdict" }, el("i", { class: `dot v-${VERDICTS[page.verdict]}` }), "Assay"),
    el("nav", {}, ...links.filter(([id]) => has[id].length).map(([id, words]) => el("a", { href: `#${id}` }, words))), theme);
}

const app = document.getElementById("app");
let shownStory = -1;
let first = null;

function route() {
  const id = location.hash.slice(1);
  const story = /^story-(\d+)$/.exec(id);
  const number = story && Number(story[1]) < page.stories.length ? Number(story[1]) : null;
  if (number !== null) {
    const [main, ready] = storyPage(number);
    app.replaceChildren(header(), main);
    ready();
    shownStory = number;
    window.scrollTo(0, 0);
    return;
  }
  if (app.childElementCount === 0 || shownStory >= 0) {
    first ||= overview();
    app.replaceChildren(header(), first);
    shownStory = -1;
  }
  document.getElementById(id)?.scrollIntoView();
}

window.addEventListener("hashchange", () => {
  // Places within a story are not pages.
  const inside = shownStory >= 0 && ["words", "again", "chart", "tape", "ledgers", "memories"].includes(location.hash.slice(1));
  if (!inside) route();
});
route();
