/** The before/after slider on a node, and the difference of both. */

import { clip, pairs, share, viewPath } from "../lib/compare.js";
import { make } from "./style.js";

/** Height in px that it takes on a node at least; on a larger node the pictures are larger. */
export const COMPARE_HEIGHT = 260;

/**
 * Make the slider.
 * @param {(path: string) => string} url The address of a path of the server.
 * @param {(key: string) => string} say
 * @returns {{element: HTMLElement, show: (output: object) => boolean}} show: false where there is nothing to compare
 */
export function makeCompare(url, say) {
  const after = make("img", "sfe-after", { draggable: false, alt: say("after") });
  const before = make("img", "sfe-before", { draggable: false, alt: say("before") });
  const line = make("div", "sfe-line");
  const left = make("div", "sfe-label", { textContent: say("before") });
  const right = make("div", "sfe-label", { textContent: say("after") });
  const next = make("button", "sfe-count", { type: "button" });
  const differ = make("button", "sfe-differ", { type: "button", textContent: say("difference"), title: say("differ") });
  const pictures = make("div", "sfe-pictures", {}, after, before);
  const element = make("div", "sfe sfe-compare", { title: say("slide") }, pictures, line, left, right, next, differ);
  left.style.left = right.style.right = "4px";
  let shown = [];
  let number = 0;

  function place(position) {
    before.style.clipPath = clip(position);
    line.style.left = `${position * 100}%`;
    element.dataset.position = position.toFixed(3);
  }
  function draw() {
    const pair = shown[number];
    set(before, url(viewPath(pair.before)));
    set(after, url(viewPath(pair.after)));
    next.hidden = shown.length < 2;
    next.textContent = `${number + 1} / ${shown.length}`;
  }
  function set(picture, address) {
    if (picture.getAttribute("src") !== address) picture.src = address; // the same one would be fetched and decoded anew
  }
  function follow(event) {
    const box = element.getBoundingClientRect();
    place(share(event.clientX, box.left, box.width));
  }
  element.addEventListener("pointerdown", (event) => {
    if ([next, differ].includes(event.target)) return;
    event.stopPropagation();
    element.setPointerCapture(event.pointerId);
    follow(event);
  });
  element.addEventListener("pointermove", (event) => event.buttons === 1 && follow(event));
  after.addEventListener("load", () => element.style.setProperty("--sfe-ratio", String(after.naturalWidth / after.naturalHeight)));
  next.addEventListener("click", () => {
    number = (number + 1) % shown.length;
    draw();
  });
  differ.addEventListener("click", () => {
    const on = element.classList.toggle("sfe-difference");
    differ.setAttribute("aria-pressed", String(on));
  });
  place(0.5);
  return {
    element,
    show(output) {
      const found = pairs(output);
      if (!found.length) return false;
      shown = found;
      number = Math.min(number, shown.length - 1);
      draw();
      return true;
    },
  };
}
