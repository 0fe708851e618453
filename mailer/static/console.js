"use strict";
// The keys: each element that a key presses names it in data-key. None acts while one types, but those with Ctrl.
(() => {
  const OFF = "keys off", PAIR_MS = 1500;
  let first = "", timer = 0, row = -1;

  function off() {
    try { return localStorage.getItem(OFF) === "1"; } catch { return false; }
  }

  function isTyping(target) {
    return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  function press(keys) {
    for (const element of document.querySelectorAll("[data-key]")) {
      if (element.dataset.key !== keys || element.disabled) continue;
      if (/^(?:INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) element.focus(); else element.click();
      return true;
    }
    return false;
  }

  function move(by) {
    const rows = [...document.querySelectorAll("main tbody tr")].filter((one) => one.querySelector("a"));
    if (!rows.length) return false;
    row = Math.min(Math.max(row + by, 0), rows.length - 1);
    rows[row].querySelector("a").focus();
    return true;
  }

  function act(key) {
    if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
    if (key === "o" && row >= 0 && document.activeElement.matches("main tbody a")) {
      document.activeElement.click();
      return true;
    }
    return press(key);
  }

  addEventListener("keydown", (event) => {
    if (off() || event.defaultPrevented || event.altKey) return;
    const held = event.ctrlKey || event.metaKey;
    if (held ? press(`Control+${event.key}`) : !isTyping(event.target) && !event.repeat && plain(event.key)) {
      event.preventDefault();
    }
  });

  function plain(key) {
    clearTimeout(timer);
    const keys = first ? `${first} ${key}` : key;
    first = "";
    if (keys === "g") {
      first = key;
      timer = setTimeout(() => { first = ""; }, PAIR_MS);
      return false;
    }
    return act(keys);
  }

  const box = document.getElementById("keys-off");
  if (box) {
    box.checked = off();
    box.closest("[hidden]").hidden = false;
    box.addEventListener("change", () => { try { localStorage.setItem(OFF, box.checked ? "1" : "0"); } catch { /* then they stay on */ } });
  }
  // A refused form: what is wrong comes first.
  document.querySelector("main [autofocus]")?.focus();
  // A menu closes when one goes elsewhere.
  addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
})();
