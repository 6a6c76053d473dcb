// Says when the page is cut off from the daemon, and asks by itself where streams do not get through.
"use strict";
(() => {
  const PATIENCE = 12000, POLL = 2000;
  const heard = new WeakMap(), polled = new WeakMap();
  const listening = () => document.querySelectorAll("[data-live]");
  const note = (event) => heard.set(event.target, Date.now());
  for (const name of ["htmx:sse:after:message", "htmx:sse:after:connection", "beat", "old"]) {
    document.addEventListener(name, note);
  }
  let old = false; // the daemon answers, but not its database
  document.addEventListener("beat", () => { old = false; warn(false); });
  document.addEventListener("old", () => { old = true; warn(false); });
  listening().forEach((element) => heard.set(element, Date.now()));
  const away = () => document.getElementById("away");

  const warn = (silent) => {
    if (!away()) return;
    const text = silent ? "Not connected; what you see may be old." : "The database does not answer; what you see may be old.";
    if (away().textContent !== text) away().textContent = text;
    away().hidden = !silent && !old;
  };

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
    warn(silent);
  }, POLL);

  // Buttons name the dialog that they open; its own form acts.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens);
      dialog.querySelectorAll("[data-copies]").forEach((shown) => {
        shown.textContent = document.getElementById(shown.dataset.copies)?.textContent ?? "0";
      });
      dialog.showModal();
    }
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

  // What a reader has opened or closed stays so, though the page as it lives knows only how it was at first.
  const opened = new Map();
  document.addEventListener("click", ({ target }) => {
    const details = target.closest?.("summary")?.parentElement;
    if (details?.id) opened.set(details.id, !details.open);
  });
  const asLeft = () => opened.forEach((open, id) => {
    const details = document.getElementById(id);
    if (details && details.open !== open) details.open = open;
  });

  // Times are UTC, or at the reader's wish of their own zone, with its offset; those of a job's zone say which already.
  const KEPT = "sexton-times";
  let kept = null;
  try { kept = localStorage.getItem(KEPT); } catch { /* a browser that keeps nothing: as long as the page is open */ }
  const own = () => kept === "own";
  const two = (number) => String(number).padStart(2, "0");
  const clock = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  const offset = (at) => {
    const minutes = -at.getTimezoneOffset(), ahead = Math.abs(minutes);
    return `${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  };
  const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const inUtc = (at) => at.toISOString().slice(0, 19).replace("T", " ");
  const told = (at, short) => {
    if (!own()) return short ? inUtc(at).slice(11) : inUtc(at);
    return short ? clock(at) : `${day(at)} ${clock(at)} ${offset(at)}`;
  };
  const asWished = () => document.querySelectorAll("time.utc").forEach((time) => {
    const text = told(new Date(time.dateTime), time.classList.contains("clock"));
    if (time.textContent !== text) time.textContent = text;
  });
  const zones = document.getElementById("zones");
  const tellZone = () => {
    const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.getElementById("zone").textContent = own() ? mine : "UTC";
    zones.textContent = own() ? "Show UTC" : `Show ${mine}`;
    zones.hidden = mine === "UTC";
  };
  if (zones) {
    tellZone();
    zones.addEventListener("click", () => {
      kept = own() ? "utc" : "own";
      try { localStorage.setItem(KEPT, kept); } catch { /* as above */ }
      tellZone();
      asWished();
    });
  }

  // How far away what comes next is, counted down.
  const countDown = () => document.querySelectorAll("time.away").forEach((time) => {
    const text = fromNow(new Date(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  });

  // Pointing at a time tells the reader's own, and how far away it is.
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const fromNow = (at) => {
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
    return new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
  };
  document.addEventListener("pointerover", ({ target }) => {
    const time = target.closest?.("time[datetime]");
    if (!time) return;
    const at = new Date(time.dateTime);
    time.title = `${at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })}, ${fromNow(at)}`;
  });

  const settle = () => { toEnd(); asLeft(); countDown(); if (own()) asWished(); };
  new MutationObserver(settle).observe(document.body, {
    childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["open"],
  });
  setInterval(countDown, 1000);
  settle();
})();
