// Live progress: the server sends what changed as text and numbers; nothing here makes markup.
// Where the page as a whole changed it is loaded anew, but never under the hands of somebody who fills in a form.
// Without this file a page shows the same when it is loaded again.
"use strict";
const live = document.querySelector("[data-live]");
if (live && "EventSource" in window) {
  const source = new EventSource(live.dataset.live);
  const hint = document.querySelector("[data-live-hint]");
  let touched = false;
  document.addEventListener("input", () => { touched = true; });
  if (hint) hint.hidden = true;
  source.addEventListener("values", (event) => {
    for (const [name, value] of Object.entries(JSON.parse(event.data))) {
      for (const element of document.querySelectorAll(`[data-value="${CSS.escape(name)}"]`)) {
        if (element instanceof HTMLProgressElement) {
          [element.value, element.max] = value;
        } else if (element.textContent !== value) {
          element.textContent = value;
        }
      }
    }
  });
  source.addEventListener("changed", () => {
    source.close();
    if (!touched) window.location.reload();
    else if (hint) hint.hidden = false;
  });
  source.addEventListener("ended", () => source.close());
  // Whoever sends a form or follows a link is not called back by news that come while the next page is on its way.
  window.addEventListener("beforeunload", () => source.close());
}
