// Forms that act: their fields become the JSON of an API call, and what it refuses is said in the form.
"use strict";
(() => {
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRF-Token"];

  const read = (field) => {
    if (field.dataset.type === "flag") return field.checked;
    const text = field.value.trim();
    if (text === "") return null;
    if (field.dataset.type === "json") return JSON.parse(text);
    if (field.dataset.type === "number") {
      if (Number.isNaN(Number(text))) throw new Error(`${text} is not a number`);
      return Number(text);
    }
    return text;
  };

  // What is empty is left out, or sent as null where that takes an override back.
  const body = (form) => {
    const found = {};
    for (const field of form.elements) {
      if (!field.name || (field.type === "checkbox" && field.dataset.type !== "flag")) continue;
      let value;
      try {
        value = read(field);
      } catch (error) {
        throw new Error(`${field.labels?.[0]?.textContent ?? field.name}: ${error.message}`);
      }
      if (value !== null || ("nulls" in form.dataset && field.name !== "reason")) found[field.name] = value;
    }
    return found;
  };

  const choose = (of, all) => {
    for (const box of document.querySelectorAll(`input[data-of="${of}"], input[data-all="${of}"]`)) box.checked = all;
    count();
  };

  const chosen = (form) => {
    const boxes = document.querySelectorAll(`input[type=checkbox][data-of="${form.dataset.chosen}"]:checked`);
    return [...boxes].map((box) => (box.dataset.type === "number" ? Number(box.value) : box.value));
  };

  // `revision`: what the form shows is of this one, and nobody's later change is undone by it.
  const call = async (url, method, content, revision) => {
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf() };
    if (revision) headers["If-Match"] = `"${revision}-"`;
    const answer = await fetch(url, { method, headers, body: method === "DELETE" ? undefined : JSON.stringify(content) });
    const told = await answer.text();
    const said = told && answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(told) : {};
    if (answer.status === 401) location.assign("/login");
    if (answer.status === 412) throw new Error("Somebody has changed this meanwhile. Load the page again and look.");
    if (!answer.ok) throw Object.assign(new Error(said.detail ?? `the daemon answered ${answer.status}`), { status: answer.status, run: said.run });
    return said;
  };

  // The API words what to do for the command line; here the same is done otherwise.
  const inPlace = (form, text) => text
    .replace(/sexton run-job \S+ --again/, form.querySelector("input[type=checkbox][name=again]") ? "tick “Even if it ran for that date before”" : "“Run again” on its page")
    .replace(/sexton (retry|cancel|release) (\d+)/, (_, deed, run) => `“${{ retry: "Try again", cancel: "Cancel", release: "Release" }[deed]}” on the page of run ${run}`)
    .replace("sexton resume-all", "“Go on”, for an administrator")
    .replace("as `reason`", "under “Why”");

  const say = (form, text, run) => {
    const alert = form.querySelector("[role=alert]");
    alert.textContent = inPlace(form, text);
    if (run) {
      const link = document.createElement("a");
      link.href = `/runs/${run}`;
      link.textContent = `Look at run ${run}`;
      alert.append(" ", link);
    }
    alert.hidden = !text;
  };

  // What needs a second person has only been asked for. Without a word the page stays, and its stream shows what became of it; with an empty one it is loaded again.
  const go = (then, said) => {
    if (said.approval) location.assign("/approvals");
    else if (then === "") location.reload();
    else if (then) location.assign(then.replace(/\{(\w+)\}/g, (_, key) => said[key]));
  };

  // A call does so many at most. 409: nothing was left to do.
  const repeat = async (form, method, content, first) => {
    try {
      for (let said = first; said.more;) said = await call(form.dataset.api, method, content);
    } catch (error) {
      if (error.status !== 409) throw error;
    }
  };

  const submit = async (form) => {
    const method = form.dataset.method ?? "POST";
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    say(form, "");
    try {
      const content = body(form);
      if (form.dataset.chosen) content[form.dataset.field] = chosen(form);
      const said = await call(form.dataset.api, method, content, form.dataset.revision);
      if ("untilDone" in form.dataset) await repeat(form, method, content, said);
      form.closest("dialog")?.close();
      form.reset();
      if (form.dataset.chosen) choose(form.dataset.chosen, false);
      go(form.dataset.then, said);
    } catch (error) {
      say(form, error.message, error.run);
    } finally {
      button.disabled = false;
    }
  };

  const preview = async (button) => {
    const form = button.form, shown = form.querySelector(".preview");
    const list = document.createElement("ol"), words = document.createElement("p");
    say(form, "");
    try {
      const { schedule, timezone } = body(form);
      const said = await call(button.dataset.preview, "POST", { schedule, timezone });
      words.textContent = [said.schedule_words, ...said.warnings].join(". ");
      for (const { at, note } of said.upcoming) {
        const line = list.appendChild(document.createElement("li"));
        line.textContent = at.replace("T", " ") + (note ? `: ${note}` : "");
      }
      shown.replaceChildren(words, list);
    } catch (error) {
      shown.replaceChildren();
      say(form, error.message);
    }
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.dataset.api) return;
    event.preventDefault();
    if (!event.target.dataset.ask || confirm(event.target.dataset.ask)) submit(event.target);
  });
  document.addEventListener("change", (event) => {
    const of = event.target.dataset?.all;
    if (of) choose(of, event.target.checked);
  });
  // How many are chosen, and nothing to be done to none.
  const count = () => {
    const found = {};
    for (const box of document.querySelectorAll("input[data-of]:checked")) found[box.dataset.of] = (found[box.dataset.of] ?? 0) + 1;
    for (const button of document.querySelectorAll("[data-needs]")) button.disabled = !found[button.dataset.needs];
    for (const shown of document.querySelectorAll("[data-count]")) shown.textContent = found[shown.dataset.count] ?? 0;
  };
  document.addEventListener("change", count);
  document.addEventListener("htmx:sse:after:message", count);
  addEventListener("pageshow", count);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (button) preview(button);
  });
})();
