// Keys in the list of persons with hits, while a row has the focus: j and k go from row to row, a letter presses the row's button of
// that letter, u presses the one that undoes. After a form the address names the row that gets the focus.
"use strict";
for (const list of document.querySelectorAll("[data-review]")) {
  const rows = [...list.querySelectorAll("tbody tr")];
  const focus = (row) => row?.querySelector("th a").focus();
  let sent = false;
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const button = event.key === "u" ? document.querySelector("[data-undo]") : row.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (step) focus(rows[rows.indexOf(row) + step]);
    else if (button && !event.repeat && !sent) button.click();
    else return;
    event.preventDefault();
  });
  document.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
  for (const hidden of document.querySelectorAll("[data-keys]")) hidden.hidden = false;
  const all = list.querySelector("[data-all]");
  all?.addEventListener("change", () => {
    for (const box of list.querySelectorAll("tbody [type=checkbox]")) box.checked = all.checked;
  });
  focus(location.hash === "#rows" ? rows[0] : list.querySelector("tr:has(:target)"));
}
