// Live numbers of a campaign: an event stream says them in the page's language, and they are put in their places.
"use strict";
(() => {
  const said = document.querySelector("[data-stream]");
  if (!said || !window.EventSource) return;
  let source;

  const put = (selector, text) => {
    for (const one of document.querySelectorAll(selector)) {
      if (one.textContent !== text) one.textContent = text;
      if (one.tagName === "P") one.hidden = !text;
    }
  };

  const draw = (parts) => {
    const bar = document.querySelector("[data-bar]");
    if (!bar) return;
    const rects = parts.map(([, kind, x, width]) => {
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, value] of Object.entries({ class: kind, x, y: 0, width, height: 28 })) rect.setAttribute(name, value);
      return rect;
    });
    bar.replaceChildren(...rects);
  };

  const list = (lanes) => {
    const body = document.querySelector("[data-lanes]");
    if (!body) return;
    body.closest("table").hidden = !lanes.length;
    document.querySelector("[data-lanes-none]").hidden = lanes.length > 0;
    body.replaceChildren(...lanes.map((cells) => {
      const row = document.createElement("tr");
      cells.forEach((text, place) => {
        const cell = row.appendChild(document.createElement(place ? "td" : "th"));
        if (!place) cell.scope = "row";
        if (place === 2) cell.className = "number";
        cell.textContent = text;
      });
      return row;
    }));
  };

  // Other buttons belong to another state; but nobody loses what is being typed.
  const reload = () => {
    const typed = [...document.querySelectorAll("main input:not([type=hidden])")].some((one) => one.value);
    if (typed) said.textContent = said.dataset.changed;
    else location.reload();
    said.classList.toggle("away", !typed);
    source.close();
  };

  const show = (live) => {
    for (const name of ["headline", "remark", "rate", "left", "next_try", "waiting", "settled", "handed", "audience"]) {
      put(`[data-live="${name}"]`, live[name]);
    }
    for (const [name, [number, text, share]] of Object.entries(live.counts)) {
      put(`[data-live="${name}"]`, text);
      put(`[data-share="${name}"]`, share);
      for (const row of document.querySelectorAll(`[data-row="${name}"]`)) row.hidden = !number;
    }
    draw(live.bar);
    list(live.lanes);
    if (live.state !== said.dataset.liveState) reload();
  };

  const open = () => {
    source = new EventSource(said.dataset.stream);
    source.addEventListener("message", (event) => show(JSON.parse(event.data)));
    source.addEventListener("done", reload);
  };

  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) open();
  });
  open();
})();
