// Arrow keys go from row to row while a link or box of the list has the focus; nothing else is changed.
"use strict";
for (const list of document.querySelectorAll("[data-list]")) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tbody tr");
    if (!step || !row) return;
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    const place = next && (next.querySelector(`${event.target.localName}[href], ${event.target.localName}[name]`) || next.querySelector("a"));
    if (place) {
      event.preventDefault();
      place.focus();
    }
  });
}
