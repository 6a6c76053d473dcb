// Says when the page is cut off from the daemon, and asks by itself where streams do not get through.
"use strict";
(() => {
  const PATIENCE = 12000, POLL = 2000;
  const heard = new WeakMap(), polled = new WeakMap();
  const listening = () => document.querySelectorAll("[data-live]");
  const note = (event) => heard.set(event.target, Date.now());
  for (const name of ["htmx:sse:after:message", "htmx:sse:after:connection", "beat"]) {
    document.addEventListener(name, note);
  }
  listening().forEach((element) => heard.set(element, Date.now()));
  const away = () => document.getElementById("away");

  const poll = async (element) => {
    try {
      const answer = await fetch(element.dataset.live + (element.dataset.live.includes("?") ? "&once" : "?once"), { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      await htmx.swap({ sourceElement: element, target: element, text: await answer.text(), swap: "innerHTML swapEmpty:false" });
      polled.set(element, Date.now());
    } catch { /* away, which the next look tells */ }
  };

  setInterval(() => {
    if (document.hidden) return;
    const now = Date.now();
    let silent = false;
    for (const element of listening()) {
      if (now - (heard.get(element) ?? 0) < PATIENCE) continue;
      if (now - (polled.get(element) ?? 0) > 2 * POLL) silent = true;
      poll(element);
    }
    if (away()) away().hidden = !silent;
  }, POLL);

  // A form that needs a second thought names its dialog; the dialog's own form sends it.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
  });
})();
