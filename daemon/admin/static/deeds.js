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

  // What is empty is left out of a POST, and sent as null to PUT and PATCH, which take overrides back by it.
  const body = (form, method) => {
    const found = {};
    for (const field of form.elements) {
      if (!field.name || (field.type === "checkbox" && field.dataset.type !== "flag")) continue;
      let value;
      try {
        value = read(field);
      } catch (error) {
        throw new Error(`${field.labels?.[0]?.textContent ?? field.name}: ${error.message}`);
      }
      if (value !== null || (method !== "POST" && field.name !== "reason")) found[field.name] = value;
    }
    return found;
  };

  const chosen = (form) => {
    const boxes = document.querySelectorAll(`input[type=checkbox][data-of="${form.dataset.chosen}"]:checked`);
    return [...boxes].map((box) => (box.dataset.type === "number" ? Number(box.value) : box.value));
  };

  const call = async (url, method, content) => {
    const answer = await fetch(url, {
      method, headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() }, body: JSON.stringify(content),
    });
    const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (answer.status === 401) location.assign("/login");
    if (!answer.ok) throw new Error(said.detail ?? `the daemon answered ${answer.status}`);
    return said;
  };

  const say = (form, text) => {
    const alert = form.querySelector("[role=alert]");
    alert.textContent = text;
    alert.hidden = !text;
  };

  const submit = async (form) => {
    const method = form.dataset.method ?? "POST";
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    say(form, "");
    try {
      const content = body(form, method);
      if (form.dataset.chosen) content[form.dataset.field] = chosen(form);
      const said = await call(form.dataset.api, method, content);
      form.closest("dialog")?.close();
      form.reset();
      if (form.dataset.then) location.assign(form.dataset.then.replace(/\{(\w+)\}/g, (_, key) => said[key]));
    } catch (error) {
      say(form, error.message);
    } finally {
      button.disabled = false;
    }
  };

  const preview = async (button) => {
    const form = button.form, shown = form.querySelector(".preview");
    const list = document.createElement("ol"), words = document.createElement("p");
    say(form, "");
    try {
      const { schedule, timezone } = body(form, "POST");
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
    submit(event.target);
  });
  document.addEventListener("change", (event) => {
    const of = event.target.dataset?.all;
    if (of) document.querySelectorAll(`input[data-of="${of}"]`).forEach((box) => { box.checked = event.target.checked; });
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (button) preview(button);
  });
})();
