/** The numbers of a slider that covers the useful strengths only, while the number beside it stays free. */

import { UNKNOWN_RANGE } from "./directions.js";

const STEPS = 100;

/**
 * @param {[number, number] | null} range Useful strengths, or null.
 * @param {number} value The strength as it is.
 * @returns {{min: number, max: number, step: number, shown: number, outside: boolean}} shown: where the handle stands.
 */
export function sliderOf(range, value) {
  const [min, max] = range ?? UNKNOWN_RANGE;
  const shown = Math.min(Math.max(value, min), max);
  return { min, max, step: stepOf(max - min), shown, outside: value < min || value > max };
}

/** About a hundred places, at 1, 2 or 5 of some power of ten. */
export function stepOf(span) {
  const rough = span / STEPS;
  if (!(rough > 0)) return 0.1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((s) => s * power >= rough * 0.999) * power;
  return Number(step.toPrecision(1));
}

/** A number as a person writes it: a real minus sign, no needless zeros. */
export function written(value) {
  return String(Number(value.toFixed(2))).replace("-", "\u2212");
}
