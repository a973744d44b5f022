"use strict";
// Filters the table of losses, jumps there from the reasons of the funnel, and marks the section in view.
(() => {
  const form = document.getElementById("filters");
  if (form) {
    const text = document.getElementById("f-text");
    const chosen = ["stage", "reason", "dataset"].map((name) => document.getElementById(`f-${name}`));
    const [stage, reason] = chosen;
    const shown = document.getElementById("f-count");
    const rows = [...document.getElementById("loss-rows").rows].map((row) => ({
      row,
      text: `${row.textContent} ${row.dataset.reason}`.toLowerCase(),
      keys: [row.cells[0].textContent, row.dataset.reason, row.cells[3].textContent].map((key) => `=${key}`),
    }));
    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let number = 0;
      for (const each of rows) {
        const fits =
          chosen.every((select, place) => !select.value || select.value === each.keys[place]) &&
          words.every((word) => each.text.includes(word));
        each.row.hidden = !fits;
        number += fits ? 1 : 0;
      }
      const all = rows.length.toLocaleString("en");
      shown.value = number === rows.length ? `${all} rows` : `${number.toLocaleString("en")} of ${all} rows`;
    };
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    for (const chip of document.querySelectorAll("a[data-reason]")) {
      chip.addEventListener("click", () => {
        form.reset();
        stage.value = `=${chip.dataset.stage}`;
        reason.value = `=${chip.dataset.reason}`;
        setTimeout(filter);
      });
    }
  }

  const bar = document.querySelector("nav ul");
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const sections = [...links.keys()].map((name) => document.getElementById(name));
  const mark = () => {
    const line = window.innerHeight / 3;
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
    const passed = sections.filter((each) => each.getBoundingClientRect().top <= line);
    const current = atEnd ? sections.at(-1) : passed.at(-1);
    for (const [name, link] of links) {
      if (!current || name !== current.id) {
        link.removeAttribute("aria-current");
      } else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "true");
        bar.scrollLeft = link.offsetLeft - 48; // a narrow screen shows only a part of the bar
      }
    }
  };
  let waiting = false;
  window.addEventListener(
    "scroll",
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        mark();
      });
    },
    { passive: true },
  );
  mark();

  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" ? document.querySelector("details.item[open]") : null;
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
