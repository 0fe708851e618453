"use strict";
// Keys, each of which presses what names it in data-key; menus that close, forms that are sent once and not left by mistake.
(() => {
  const one = (query, within = document) => within.querySelector(query);
  const OFF = "mailer keys off";
  const SEQUENCE_MS = 1500, TWICE_MS = 5000;

  // Storage may be forbidden in this browser: then keys stay on.
  const areOff = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };
  const turn = off => { try { off ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF); } catch { /* as above */ } };

  const FIELDS = "input:not([type=checkbox], [type=radio], [type=submit]), textarea, select";
  let begun = "", begunAt = 0;

  const rows = () => [...document.querySelectorAll("main tbody tr")].filter(row => one("a[href]", row));
  const closeMenus = except => {
    const open = [...document.querySelectorAll("details.menu[open]")].filter(menu => !menu.contains(except));
    open.forEach(menu => { menu.open = false; });
    return open;
  };
  const row = step => () => {
    const all = rows(), at = all.findIndex(row => row.contains(document.activeElement));
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (next) one("a[href]", next).focus();
    return all.length > 0;
  };
  const acts = {
    j: row(1),
    k: row(-1),
    o() { const row = rows().find(row => row.contains(document.activeElement)); if (row) one("a[href]", row).click(); return row; },
    Escape() { const menu = closeMenus(null)[0]; if (menu) one("summary", menu).focus(); return menu; },
    "/"() { const field = one("[data-search], input[type=search]"); field?.focus(); field?.select(); return field; },
  };
  const press = keys => {
    const found = one(`[data-key="${CSS.escape(keys)}"]:not(:disabled)`);
    if (found) found.matches(FIELDS) ? found.focus() : found.click();
    return found || (acts[keys] && acts[keys]());
  };
  document.addEventListener("keydown", event => {
    const {key} = event, isHeld = event.ctrlKey || event.metaKey;
    if (event.isComposing || event.defaultPrevented || event.altKey || (areOff() && key !== "Escape")) return;
    let isDone;
    if (isHeld) {
      isDone = !event.shiftKey && press(`Control+${key.length > 1 ? key : key.toLowerCase()}`);
    } else if (key === "Escape" || !(event.target.isContentEditable || event.target.matches(FIELDS))) {
      const isSecond = begun && Date.now() - begunAt < SEQUENCE_MS;
      isDone = (isSecond && press(`${begun} ${key}`)) || (!event.repeat || "jk".includes(key)) && press(key);
      begun = one(`[data-key^="${CSS.escape(key)} "]`) ? key : "";
      begunAt = Date.now();
    }
    if (isDone) event.preventDefault();
  });
  document.addEventListener("focusin", event => {
    document.querySelectorAll("tr.chosen").forEach(row => row.classList.remove("chosen"));
    event.target.closest?.("main tbody tr")?.classList.add("chosen");
  });
  document.addEventListener("click", event => closeMenus(event.target));

  const box = document.getElementById("keys-off");
  if (box) {
    box.checked = box.defaultChecked = areOff();
    box.closest("[hidden]").hidden = false;
    box.addEventListener("change", () => turn(box.checked));
  }
  // A refused form: what is wrong comes first.
  one("main [autofocus]")?.focus();

  // A form is not sent twice by two clicks, and what was typed into one is not left without a question.
  // The page where letters are written saves by itself (data-store).
  const sent = new WeakMap();
  let isLeaving = false;
  const isChanged = form => [...form.elements].some(field =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
      : field.matches("input:not([type=hidden]), textarea") && field.value !== field.defaultValue);
  document.addEventListener("submit", event => {
    if (event.defaultPrevented || event.submitter?.formTarget) return;
    const form = event.target;
    if (form.method === "post" && Date.now() - (sent.get(form) || 0) < TWICE_MS) event.preventDefault();
    sent.set(form, Date.now());
    isLeaving = true;
  });
  addEventListener("pageshow", () => { isLeaving = false; });
  addEventListener("beforeunload", event => {
    const isOpen = form => form.method === "post" && !form.dataset.store && isChanged(form);
    if (!isLeaving && [...document.forms].some(isOpen)) event.preventDefault();
  });
  // Whoever is asked for a time zone has most likely that of the browser.
  for (const field of document.querySelectorAll("[data-own-zone]")) {
    field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  }
})();
