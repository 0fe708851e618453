"use strict";
// The writing page: saves while one types, shows the letter anew, and puts Markdown into the text. All of it only adds
// to a form that works without.
(() => {
  const form = document.getElementById("letter");
  const body = document.getElementById("body") || document.getElementById("text");
  const status = document.getElementById("saved");
  const preview = document.getElementById("preview");
  const words = JSON.parse(form.dataset.words);
  const store = `draft ${location.pathname}`;
  const PAUSE_MS = 800, RETRY_MS = 5000, KEEP_MS = 150;
  let version = form.dataset.version, saved = typed(), timer = 0, keeping = 0, saving = null, stopped = false;
  let view = document.querySelector("#views [aria-pressed=true]")?.value || "html";

  function typed() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (!["form_token", "version", "reader", "go", "view"].includes(name)) fields.append(name, value);
    }
    return fields.toString();
  }

  function say(text, kind) {
    status.textContent = text;
    status.className = kind || "soft";
  }

  // The second net: what is typed is in this browser from the first moment, whatever becomes of tab and network.
  function keep(submitted = false) {
    try {
      const now = typed();
      if (now === saved) localStorage.removeItem(store);
      else localStorage.setItem(store, JSON.stringify({ version, fields: now, submitted }));
    } catch { /* a browser that stores nothing: saving still works */ }
  }

  function restore() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(store)); } catch { return; }
    if (!kept || kept.fields === saved) return;
    // What was submitted is a version by now, unless the service never got it.
    if (kept.submitted && kept.version !== version) { localStorage.removeItem(store); return; }
    for (const [name, value] of new URLSearchParams(kept.fields)) {
      const control = form.elements.namedItem(name);
      if (control && "value" in control) control.value = value;
    }
    version = kept.version;
    form.elements.namedItem("version").value = version;
    say(words.restored);
    schedule(0);
  }

  function schedule(ms = PAUSE_MS) {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(save, ms);
  }

  async function save() {
    clearTimeout(timer);
    if (stopped) return;
    if (saving) { schedule(); return; }
    const now = typed();
    if (now === saved) return;
    say(words.saving);
    saving = send(now, false);
    try {
      await take(await saving, now);
    } catch {
      say(words.kept, "wrong");
      schedule(RETRY_MS);
    } finally {
      saving = null;
    }
  }

  function send(now, leaving) {
    return fetch(form.action, {
      method: "POST",
      headers: {
        "Content-Type": "application/x-www-form-urlencoded", "If-Match": `"${version}"`,
        "X-Form-Token": form.elements.namedItem("form_token").value, Accept: "application/json",
      },
      body: now, keepalive: leaving, redirect: "error",
    });
  }

  async function take(answer, now) {
    if (answer.status === 401 || answer.status === 403) { stopped = true; say(words.signed_out, "wrong"); return; }
    if (answer.status >= 500) throw new Error(answer.status);
    const told = await answer.json();
    if (answer.status === 412) { conflict(told); return; }
    if (!answer.ok) { say(told.problem, "wrong"); return; }
    version = String(told.version);
    form.elements.namedItem("version").value = version;
    saved = now;
    keep();
    say(words.saved.replace("{}", told.saved_at));
    list(told.problems);
    show();
    if (typed() !== saved) schedule();
  }

  function conflict(told) {
    stopped = true;
    say(words.conflict.replace("{}", told.by), "wrong");
    const both = document.createElement("button");
    both.setAttribute("form", "letter");
    both.textContent = status.dataset.both;
    status.after(both);
    both.focus();
  }

  function list(problems) {
    const lines = problems.map((one) => {
      const item = document.createElement("li"), mark = icon(one.severity === "error" ? "wrong" : "waiting");
      const link = document.createElement("a");
      link.href = `#${one.control}`;
      if (one.line) link.dataset.line = one.line;
      link.textContent = (one.line ? `${words.line.replace("{}", one.line)}: ` : "") + one.sentence;
      item.append(mark, " ", link);
      return item;
    });
    if (!lines.length) {
      const item = document.createElement("li"), mark = icon("well");
      mark.append(` ${words.none}`);
      item.append(mark);
      lines.push(item);
    }
    document.getElementById("checks").replaceChildren(...lines);
  }

  function icon(name) {
    const place = document.createElement("span"), drawn = document.querySelector(".icon").cloneNode(true);
    const use = drawn.querySelector("use");
    use.setAttribute("href", `${use.getAttribute("href").split("#")[0]}#${name}`);
    drawn.setAttribute("class", "icon");
    place.className = `state ${name}`;
    place.append(drawn);
    return place;
  }

  function show() {
    const query = new URLSearchParams({ view: view === "phone" ? "html" : view });
    const reader = document.getElementById("reader").value;
    if (reader) query.set("reader", reader);
    preview.className = view === "phone" ? "phone" : "";
    // replace: a letter shown anew is no step back in the browser's history.
    preview.contentWindow.location.replace(`${form.dataset.preview}?${query}`);
  }

  function insert({ before = "", after = "", sample = "", hint = "", atLine }) {
    const start = body.selectionStart, end = body.selectionEnd, chosen = body.value.slice(start, end) || sample || hint;
    const marked = atLine === undefined ? before + chosen + after
      : chosen.split("\n").map((line) => before + line).join("\n");
    const fresh = atLine !== undefined && start > 0 && body.value[start - 1] !== "\n" ? `\n\n${marked}` : marked;
    body.focus();
    // Through the editor, so that Undo takes it back.
    if (!document.execCommand("insertText", false, fresh)) body.setRangeText(fresh, start, end, "end");
    if (!sample) {
      const at = start + fresh.length - marked.length + before.length;
      body.setSelectionRange(at, at + (atLine === undefined ? chosen.length : 0));
    }
    body.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function goToLine(number) {
    const lines = body.value.split("\n").slice(0, number), end = lines.join("\n").length;
    body.focus();
    body.setSelectionRange(end - lines[lines.length - 1].length, end);
  }

  form.addEventListener("input", () => {
    schedule();
    clearTimeout(keeping);
    keeping = setTimeout(() => keep(), KEEP_MS);
  });
  form.addEventListener("change", save);
  form.addEventListener("submit", () => { stopped = true; clearTimeout(timer); clearTimeout(keeping); keep(true); });
  addEventListener("pagehide", () => { if (!stopped) keep(); if (!stopped && typed() !== saved) send(typed(), true).catch(() => {}); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) { keep(); save(); } });
  document.getElementById("reader").addEventListener("change", show);
  document.getElementById("views").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    view = button.value;
    for (const one of document.querySelectorAll("#views button")) one.setAttribute("aria-pressed", String(one === button));
    show();
  });
  document.getElementById("checks").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const control = document.getElementById(link.hash.slice(1)) || body;
    const folded = control.closest("details");
    if (folded) folded.open = true;
    if (link.dataset.line) goToLine(Number(link.dataset.line)); else control.focus();
  });
  for (const tools of form.querySelectorAll(".tools")) {
    tools.hidden = false;
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.open) {
        const control = document.getElementById(button.dataset.open);
        control.closest("details").open = true;
        control.focus();
      } else insert(button.dataset);
    });
  }
  for (const one of document.querySelectorAll("[data-no-script]")) one.hidden = true;
  restore();
})();
