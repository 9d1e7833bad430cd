// A long file shows how much of it has arrived. Without this file the browser sends the form itself, and shows it its own way.
"use strict";
for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]").files[0];
    // The answer to a long list leads to another page; any other answer is for the browser itself to show.
    if (!file || file.size < Number(form.dataset.upload)) return;
    event.preventDefault();
    const shown = form.querySelector("[data-upload-shown]");
    const bar = shown.querySelector("progress");
    const button = form.querySelector("button");
    const call = new XMLHttpRequest();
    shown.hidden = false;
    button.disabled = true;
    const byItself = () => { button.disabled = false; form.submit(); };
    call.upload.addEventListener("progress", (part) => {
      if (part.lengthComputable) [bar.max, bar.value] = [part.total, part.loaded];
    });
    call.addEventListener("load", () => {
      if (call.status === 200 && call.responseURL !== form.action) window.location.assign(call.responseURL);
      else byItself();
    });
    call.addEventListener("error", byItself);
    call.open("POST", form.action);
    call.send(new FormData(form));
  });
}
