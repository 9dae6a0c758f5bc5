/** The direction picker: a menu by family, the effect, the useful strengths as a slider. */

import { fitting, groups, key, look, meant, shownFamily } from "../lib/directions.js";
import { sliderOf, written } from "../lib/slider.js";
import { make } from "./style.js";

/** Height in px that it takes on a node: menu, effect of three lines, slider, useful strengths, ComfyUI's margins. */
export const PICKER_HEIGHT = 140;

/**
 * Make the picker. It holds nothing of its own: `read` says what to show, the calls change the plain widgets.
 * @param {object} calls
 * @param {() => {offer: import("../lib/directions.js").Offer, model: string | null, name: string, custom: boolean,
 *   strength: number | null, favourites: string[]}} calls.read strength: null where there is a range to sweep instead
 * @param {(name: string) => void} calls.choose
 * @param {(strength: number) => void} calls.move
 * @param {(strength: number) => void} calls.drag As `move`, while the slider is in the hand.
 * @param {() => void} calls.release
 * @param {(range: [number, number]) => void} calls.sweep
 * @param {(direction: import("../lib/directions.js").Direction) => void} calls.toggle
 * @param {(key: string, values?: Record<string, string>) => string} calls.say
 * @param {(name: string) => string} calls.called A direction's name as people read it.
 * @param {(direction: import("../lib/directions.js").Direction) => string} calls.effectOf
 * @returns {{element: HTMLElement, refresh: () => void}}
 */
export function makePicker({ read, choose, move, drag, release, sweep, toggle, say, called, effectOf }) {
  const menu = make("select", "sfe-menu");
  const star = make("button", "sfe-star", { type: "button" });
  const effect = make("div", "sfe-effect");
  const low = make("span", "sfe-small");
  const slider = make("input", "sfe-strength", { type: "range", title: say("strength") });
  const high = make("span", "sfe-small");
  const number = make("input", "sfe-number", { type: "number", step: "any", title: say("number") });
  const whole = make("button", "sfe-whole", { type: "button" });
  const about = make("div", "sfe-small sfe-about");
  const mark = make("div", "sfe-mark");
  const strengths = make("div", "sfe-row", {}, low, slider, high, number);
  const element = make(
    "div", "sfe sfe-picker", {}, make("div", "sfe-row", {}, menu, star), mark, effect, strengths, whole, about,
  );

  menu.addEventListener("change", () => choose(menu.value));
  // Nodes 2.0 would bring the node to the front, which can end the drag after its first step.
  slider.addEventListener("pointerdown", (event) => event.stopPropagation());
  slider.addEventListener("input", () => drag(Number(slider.value)));
  slider.addEventListener("change", release);
  slider.addEventListener("dblclick", () => move(0));
  number.addEventListener("change", () => Number.isFinite(number.valueAsNumber) && move(number.valueAsNumber));
  star.addEventListener("click", () => {
    const { offer, model, name } = read();
    const { direction } = look(offer, model, name);
    if (direction) toggle(direction);
  });
  whole.addEventListener("click", () => {
    const { offer, model, name } = read();
    const range = look(offer, model, name).direction?.range;
    if (range) sweep(range);
  });

  function refresh() {
    const { offer, model, name, custom, strength, favourites } = read();
    const { state, direction } = look(offer, model, name);
    fillMenu(menu, groups(fitting(offer, model), favourites), state === "fits" ? null : name, name, { say, called });
    const liked = direction !== null && favourites.includes(key(direction));
    star.textContent = liked ? "\u2605" : "\u2606";
    star.title = say(liked ? "notFavourite" : "favourite");
    mark.hidden = custom || state === "fits";
    mark.textContent = mark.hidden ? "" : say(state, { name, model: meant(offer, model), subject: direction?.subject });
    menu.parentElement.hidden = custom;
    const range = custom || state !== "fits" ? null : direction.range;
    const ends = range && { low: written(range[0]), high: written(range[1]) };
    const numbers = sliderOf(range, strength ?? 0);
    slider.min = numbers.min;
    slider.max = numbers.max;
    slider.step = numbers.step;
    slider.value = numbers.shown;
    if (number !== document.activeElement) number.value = Number((strength ?? 0).toFixed(3));
    low.textContent = written(numbers.min);
    high.textContent = written(numbers.max);
    strengths.hidden = strength === null || (state !== "fits" && !custom);
    whole.hidden = strength !== null || !range;
    whole.textContent = range ? say("whole", ends) : "";
    effect.textContent = custom ? say("custom") : direction ? effectOf(direction) : "";
    const far = range && strength !== null && numbers.outside;
    about.hidden = custom || state !== "fits";
    const useful = () => (range ? say(far ? "outside" : "useful", { ...ends, value: written(strength ?? 0) }) : say("unknown"));
    about.textContent = about.hidden ? "" : useful();
    about.classList.toggle("sfe-mark", Boolean(far));
    element.title = about.hidden ? "" : `${familyName(shownFamily(direction), say)}. ${direction.source}`;
    element.dataset.state = custom ? "custom" : state;
  }
  return { element, refresh };
}

/** A family's own name, in the language of the page where it is not a proper name. */
function familyName(family, say) {
  return ["ofModel", "ofFiles"].includes(family) ? say(family) : family;
}

/** Offer the groups; `missing`, a name that is chosen but not offered, stays as a marked choice. */
function fillMenu(menu, offered, missing, chosen, { say, called }) {
  const parts = offered.map(({ family, favourite, names }) =>
    make(
      "optgroup", "", { label: `${favourite ? `\u2605 ${say("favourites")}: ` : ""}${familyName(family, say)}` },
      ...names.map((name) => make("option", "", { value: name, textContent: called(name) })),
    ),
  );
  if (missing !== null) parts.unshift(make("option", "", { value: missing, textContent: `\u26a0 ${missing}` }));
  menu.replaceChildren(...parts);
  menu.value = chosen;
}
