"use strict";
// The page is whole without this: here are only the theme, the keys j and k, and the order of tables.
(() => {
  const root = document.documentElement;
  const kept = {
    get(name) { try { return localStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, value); } catch { /* a file may have no storage */ } },
  };
  const tools = document.querySelector(".tools");
  tools.hidden = false;

  const themes = ["system", "light", "dark"];
  const theme = document.getElementById("theme");
  const paint = (name) => {
    if (name === "system") root.removeAttribute("data-theme");
    else root.dataset.theme = name;
    theme.querySelector("span").textContent = name;
    kept.set("evalguard-theme", name);
  };
  paint(themes.includes(kept.get("evalguard-theme")) ? kept.get("evalguard-theme") : "system");
  theme.addEventListener("click", () => {
    const now = root.dataset.theme || "system";
    paint(themes[(themes.indexOf(now) + 1) % themes.length]);
  });

  const keys = document.getElementById("keys");
  const press = (on) => {
    keys.setAttribute("aria-pressed", String(on));
    kept.set("evalguard-keys", on ? "on" : "off");
  };
  press(kept.get("evalguard-keys") !== "off");
  keys.addEventListener("click", () => press(keys.getAttribute("aria-pressed") !== "true"));

  const findings = [...document.querySelectorAll("article.finding")];
  document.addEventListener("keydown", (event) => {
    const typed = event.ctrlKey || event.altKey || event.metaKey;
    if (typed || keys.getAttribute("aria-pressed") !== "true" || !["j", "k"].includes(event.key)) return;
    const top = 90;
    const tops = findings.map((each) => each.getBoundingClientRect().top);
    const next = event.key === "j" ? tops.findIndex((y) => y > top) : tops.findLastIndex((y) => y < top - 40);
    if (next < 0) return;
    findings[next].focus({ preventScroll: true });
    findings[next].scrollIntoView();
    history.replaceState(null, "", "#" + findings[next].id);
  });

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        const body = table.tBodies[0];
        const value = (row) => row.cells[column].dataset.value;
        const numbers = head.classList.contains("count");
        const order = (a, b) => numbers ? value(a) - value(b) : value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0;
        const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * order(a, b));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...rows);
      });
    });
  }
})();
