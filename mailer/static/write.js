"use strict";
// Writing: saves what is written and keeps it in this browser until then, shows its letter, puts in Markdown.
(() => {
  const form = document.getElementById("write");
  if (!form || "locked" in form.dataset) return;
  const SAVE_MS = 800, KEEP_MS = 250, PREVIEW_MS = 150, RETRY_MS = 5000, SLOW_MS = 1000;
  const MOST_KEPT_ALIVE = 60000; // octets of a request that outlives its page: 64 KiB by the Fetch standard
  const byId = id => document.getElementById(id);
  const state = byId("state"), says = state.dataset, key = form.dataset.store;
  const version = form.elements.version;
  const fields = [...form.querySelectorAll("input[name], textarea[name], select[name]")]
    .filter(field => field !== version && field.name !== "form_token" && !("own" in field.dataset));
  let saved = new Map(fields.map(field => [field.name, field.defaultValue ?? field.value]));
  let isBusy = false, isStuck = false, isLeaving = false, waiting = null, timers = {};

  const values = () => new Map(fields.map(field => [field.name, field.value]));
  const isChanged = field => field.value !== saved.get(field.name);
  const isDirty = () => fields.some(isChanged);
  const say = words => { if (state.textContent !== words) state.textContent = words; };
  const later = (name, ms, act) => { clearTimeout(timers[name]); timers[name] = setTimeout(act, ms); };

  // The second net, for a tab that is killed or a connection that is gone. Storage may be forbidden or full.
  const keep = extra => {
    if (isLeaving) return;
    const changed = Object.fromEntries(fields.filter(isChanged).map(field => [field.name, field.value]));
    try { localStorage.setItem(key, JSON.stringify({version: Number(version.value), changed, ...extra})); } catch { /* as above */ }
  };
  const forget = () => { try { localStorage.removeItem(key); } catch { /* as above */ } };
  const kept = () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };

  const pack = () => {
    const body = new URLSearchParams({form_token: form.elements.form_token.value});
    fields.filter(field => field.matches("input") || isChanged(field)).forEach(field => body.append(field.name, field.value));
    return body;
  };
  const save = () => {
    clearTimeout(timers.save);
    if (isBusy || isStuck || isLeaving || !isDirty()) return;
    const sent = values(), request = new XMLHttpRequest();
    isBusy = true;
    later("slow", SLOW_MS, () => say(says.saving));
    request.open("POST", form.action);
    request.responseType = "document";
    request.timeout = 30000;
    request.setRequestHeader("If-Match", `"${version.value}"`);
    request.onloadend = () => settle(request.status, request.getResponseHeader("ETag"), request.response, sent);
    request.send(pack());
  };
  const settle = (status, tag, answer, sent) => {
    isBusy = false;
    clearTimeout(timers.slow);
    const button = waiting;
    waiting = null;
    if (status === 200) {
      saved = sent;
      version.value = tag.match(/\d+/)[0];
      show(answer);
      say(state.textContent && says.saved);
      if (isDirty()) { keep(); later("save", SAVE_MS, save); } else forget();
      if (button) form.requestSubmit(button);
      return;
    }
    keep();
    if (status === 412) {
      isStuck = true;
      showConflict(answer);
      say(says.conflict);
    } else if (status === 401 || status === 403) {
      say(says.signedout);
    } else if (status === 0 || status >= 500) {
      say(says.offline);
      later("save", RETRY_MS, save);
    } else {
      const why = answer?.querySelector(".errors li, main > p");
      say(why ? `${says.failed} ${why.textContent.trim()}` : says.failed);
    }
  };
  const show = answer => ["tabs", "problems", "numbers"].forEach(id => {
    const fresh = answer?.getElementById(id), old = byId(id);
    // What somebody is about to press stays where it is.
    if (fresh && old.textContent !== fresh.textContent && !old.contains(document.activeElement)) {
      old.replaceWith(document.importNode(fresh, true));
    }
  });
  const showConflict = answer => {
    const section = answer?.getElementById("conflict");
    if (!section) return;
    const shown = document.importNode(section, true);
    byId("conflict-place").hidden = false;
    byId("conflict-place").replaceChildren(shown);
    shown.focus();
    shown.addEventListener("click", event => {
      if (event.target.closest("a[href]")) { isLeaving = true; forget(); }
    });
    shown.addEventListener("submit", event => {
      // The text as it is here by now, in place of the other one.
      event.preventDefault();
      version.value = shown.dataset.version;
      saved = new Map();
      isStuck = false;
      shown.remove();
      save();
    });
  };

  form.addEventListener("input", () => {
    later("keep", KEEP_MS, keep);
    later("save", SAVE_MS, save);
    previewSoon();
  });
  form.addEventListener("focusout", save);
  form.addEventListener("submit", event => {
    const button = event.submitter;
    if (button?.formTarget) return;
    if (isBusy || !button?.name) event.preventDefault();
    if (isBusy) {
      waiting = button;
    } else if (!button?.name) {
      say(isDirty() ? says.saving : says.saved);
      save();
    } else {
      keep({isSent: true});
      isLeaving = true;
    }
  });
  addEventListener("online", save);
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  addEventListener("pagehide", () => {
    if (isLeaving || isStuck || !isDirty()) return;
    keep();
    const body = pack().toString(), sent = values();
    if (body.length > MOST_KEPT_ALIVE) return;
    const headers = {"If-Match": `"${version.value}"`, "Content-Type": "application/x-www-form-urlencoded"};
    fetch(form.action, {method: "POST", body, headers, keepalive: true})
      .then(answer => settle(answer.status, answer.headers.get("ETag"), null, sent)).catch(() => {});
  });
  addEventListener("pageshow", event => { if (event.persisted) location.reload(); });

  // The letter: the form is sent into a new frame, so that neither flicker nor the way back shows that it is.
  const button = document.querySelector("[data-preview]");
  let isShowing = false, isOld = false, frames = 0;
  const previewSoon = () => { timers.preview ||= setTimeout(preview, PREVIEW_MS); };
  const preview = () => {
    timers.preview = 0;
    if (isShowing) { isOld = true; return; }
    const old = document.querySelector("iframe[name^=letter]"), next = old.cloneNode();
    isShowing = true;
    next.removeAttribute("src");
    next.name = `letter${++frames}`;
    next.className = byId("write").elements.view.value === "phone" ? "phone" : "";
    next.style.display = "none";
    old.after(next);
    const finish = () => {
      if (!isShowing || !next.isConnected) return;
      next.style.display = "";
      old.remove();
      isShowing = false;
      if (isOld) { isOld = false; preview(); }
    };
    next.addEventListener("load", finish);
    button.formTarget = next.name;
    form.requestSubmit(button);
  };
  document.querySelectorAll("[data-again]").forEach(control => control.addEventListener("change", preview));
  button.addEventListener("click", event => { if (event.detail) { event.preventDefault(); preview(); } });

  // Places that checks name, and the toolbar.
  const open = target => { for (let at = target; at; at = at.parentElement) if (at.matches("details")) at.open = true; };
  const goTo = (target, line) => {
    open(target);
    target.focus();
    if (!line || !target.matches("textarea")) return;
    const lines = target.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1);
    target.setSelectionRange(start, start + (lines[line - 1] || "").length);
    const depth = (line - 1) / lines.length * target.scrollHeight;
    target.scrollTop = depth - target.clientHeight / 2;
    scrollTo({top: scrollY + target.getBoundingClientRect().top + depth - target.scrollTop - innerHeight / 3});
  };
  document.addEventListener("click", event => {
    const link = event.target.closest("#problems a[href^='#']"), target = link && byId(link.hash.slice(1));
    if (target) { event.preventDefault(); goTo(target, Number(link.dataset.line)); }
  });
  const put = (field, start, end, text, from, to) => {
    field.focus();
    field.setSelectionRange(start, end);
    // The command keeps the browser's own undo; where it is gone, the text is put in all the same.
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, start, end);
      field.dispatchEvent(new Event("input", {bubbles: true}));
    }
    field.setSelectionRange(from, to);
  };
  const wrap = (field, {before, after, empty}) => {
    const {selectionStart: start, selectionEnd: end, value} = field;
    const chosen = value.slice(start, end), words = chosen || empty, at = start + before.length;
    const address = chosen ? after.indexOf("https://") : -1;
    if (address < 0) put(field, start, end, before + words + after, at, at + words.length);
    else put(field, start, end, before + words + after, at + words.length + address, at + words.length + address + 8);
  };
  const prefix = (field, {start, empty}) => {
    const {value, selectionStart, selectionEnd} = field;
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1, found = value.indexOf("\n", selectionEnd);
    const to = found < 0 ? value.length : found;
    const gap = from > 1 && value[from - 2] !== "\n" ? "\n" : "";
    const text = gap + (value.slice(from, to) || empty).split("\n").map(line => start + line).join("\n");
    put(field, from, to, text, from + gap.length + start.length, from + text.length);
  };
  document.querySelectorAll("[data-tools]").forEach(tools => {
    const field = byId(tools.dataset.tools);
    tools.hidden = false;
    tools.addEventListener("click", event => {
      const tool = event.target.closest("button"), data = tool?.dataset;
      if (!tool) return;
      tool.closest("details")?.removeAttribute("open");
      if (data.focus) goTo(byId(data.focus)); else if (data.start) prefix(field, data); else wrap(field, data);
    });
  });

  // A picture goes where one writes; any other file goes with the whole text, as it does without script.
  const adds = document.querySelector("[data-add]"), chosen = byId("media"), alt = byId("media_alt");
  const upload = async (field, file) => {
    const body = new FormData();
    body.append("form_token", form.elements.form_token.value);
    body.append("media", file, file.name);
    say(says.adding);
    const asked = {method: "POST", body, headers: {Accept: "application/json"}};
    const answer = await fetch(adds.formAction, asked).then(one => one.json()).catch(() => ({problem: says.failed}));
    say(answer.problem || "");
    if (!answer.path) return;
    const words = (alt.value || prompt(adds.dataset.ask) || "").replace(/[[\]\\]/g, " ");
    const {selectionStart: start, selectionEnd: end, value} = field;
    // On a line of its own it is a paragraph of its own, too.
    const gap = /.\n$/.test(value.slice(0, start)) ? "\n" : "", from = start + gap.length + 2;
    put(field, start, end, `${gap}![${words}](${answer.path})`, from, from + words.length);
    alt.value = chosen.value = "";
  };
  const take = (event, files, field) => {
    const isOne = files?.length === 1 && /^image\/(jpeg|png|gif|webp)$/.test(files[0].type);
    if (!adds || !field || !files?.length) return;
    if (isOne) { event.preventDefault(); upload(field, files[0]); return; }
    if (event.type === "click") return;
    event.preventDefault();
    chosen.files = files;
    form.requestSubmit(adds);
  };
  const written = event => event.target.closest("#body, #text");
  form.addEventListener("drop", event => take(event, event.dataTransfer.files, written(event)));
  form.addEventListener("paste", event => {
    if (!event.clipboardData.types.includes("text/plain")) take(event, event.clipboardData.files, written(event));
  });
  adds?.addEventListener("click", event => take(event, chosen.files, byId("body") || byId("text")));

  // What the browser kept: it goes on from here, unless it has arrived. If others saved meanwhile, saving shows both.
  const found = kept();
  if (found) {
    const here = Number(version.value), changed = fields.filter(field => field.name in found.changed);
    const isThere = changed.every(field => field.value === found.changed[field.name]);
    if (isThere || (found.isSent && here > found.version)) {
      forget();
    } else {
      changed.forEach(field => { field.value = found.changed[field.name]; });
      if (here !== found.version && !("mine" in form.dataset && here === found.version + 1)) version.value = found.version;
      say(says.restored);
      save();
      preview();
    }
  }
})();
