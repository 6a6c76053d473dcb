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
      if (answer.status === 401) location.assign("/login");
      if (!answer.ok || answer.redirected) return;
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

  // Buttons name the dialog that they open; its own form acts.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
  });

  // A stretch of the timeline leads to its runs; without a pointer, the job's page and its days do.
  document.addEventListener("click", ({ target }) => {
    const leading = target.closest?.("[data-href]");
    if (leading) location.assign(leading.dataset.href);
  });

  // The reader of a log who is at its end stays there as it grows; who has gone back to an earlier line stays at that.
  const SLACK = 8, readEarlier = new WeakSet();
  const logs = () => document.querySelectorAll(".log");
  const toEnd = () => logs().forEach((log) => { if (!readEarlier.has(log)) log.scrollTop = log.scrollHeight; });
  document.addEventListener("scroll", ({ target }) => {
    if (!target.matches?.(".log")) return;
    if (target.scrollHeight - target.scrollTop - target.clientHeight <= SLACK) readEarlier.delete(target);
    else readEarlier.add(target);
  }, { capture: true, passive: true });
  new MutationObserver(toEnd).observe(document.getElementById("main"), { childList: true, characterData: true, subtree: true });
  toEnd();

  // Times are UTC; pointing at one tells the reader's own, and how far away it is.
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const fromNow = (at) => {
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
    return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
  };
  document.addEventListener("pointerover", ({ target }) => {
    const time = target.closest?.("time[datetime]");
    if (!time) return;
    const at = new Date(time.dateTime);
    time.title = `${at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })}, ${fromNow(at)}`;
  });
})();
