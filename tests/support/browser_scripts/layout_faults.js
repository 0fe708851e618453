// Answers a list of sentences: where the page scrolls sideways, where text is cut off or lies outside the window.
() => {
  const faults = [];
  const root = document.scrollingElement;
  const name = (element) =>
    `<${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ""} class="${element.className.baseVal ?? element.className}">`;
  if (root.scrollWidth > root.clientWidth) {
    const widest = [...document.body.querySelectorAll("*")]
      .filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1 || one.getBoundingClientRect().left < -1)
      .slice(0, 3)
      .map(name);
    faults.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}, ${widest.join(" ")}`);
  }
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const inScroller = (element) => {
    for (let one = element; one && one !== document.body; one = one.parentElement) if (scrolls(one)) return true;
    return false;
  };
  // Text for screen readers only lies in a box of one pixel.
  const isHidden = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const box = one.getBoundingClientRect();
      const style = getComputedStyle(one);
      if (style.visibility === "hidden" || style.clipPath !== "none") return true;
      if (box.width <= 1 || box.height <= 1) return style.display !== "contents" && style.display !== "inline";
    }
    return false;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const parent = node.parentElement;
    if (!text || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION", "TEXTAREA", "TITLE"].includes(parent.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
    if (!boxes.length || isHidden(parent)) continue;
    const what = `${name(parent)} "${text.slice(0, 60)}"`;
    if (!inScroller(parent) && boxes.some((box) => box.right > root.clientWidth + 1 || box.left < -1)) {
      faults.push(`text outside the window: ${what}`);
    }
    for (let one = parent; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      const clips = (value) => ["hidden", "clip"].includes(value);
      const frame = one.getBoundingClientRect();
      const wide = clips(style.overflowX) && boxes.some((box) => box.right > frame.right + 1 || box.left < frame.left - 1);
      const high = clips(style.overflowY) && boxes.some((box) => box.bottom > frame.bottom + 2 || box.top < frame.top - 2);
      if (wide || high) {
        faults.push(`text cut off by ${name(one)}: ${what}`);
        break;
      }
      if (scrolls(one)) break;
    }
  }
  return [...new Set(faults)];
}
