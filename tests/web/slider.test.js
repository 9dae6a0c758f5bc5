import { expect, it } from "vitest";
import { UNKNOWN_RANGE } from "../../web/lib/directions.js";
import { sliderOf, stepOf, written } from "../../web/lib/slider.js";

it("covers the useful strengths", () => {
  expect(sliderOf([-6, 5], 2)).toEqual({ min: -6, max: 5, step: 0.2, shown: 2, outside: false });
});

it("pegs at its end without touching the value, and says so", () => {
  expect(sliderOf([-3, 3], 40)).toMatchObject({ shown: 3, outside: true });
  expect(sliderOf([-3, 3], -3)).toMatchObject({ shown: -3, outside: false });
});

it("has a range where none is known", () => {
  const numbers = sliderOf(null, 0);
  expect([numbers.min, numbers.max]).toEqual(UNKNOWN_RANGE);
});

it.each([[6, 0.1], [2, 0.02], [20, 0.2], [200, 2], [0.5, 0.005], [1, 0.01], [0, 0.1]])("steps over %d by %d", (span, step) => {
  expect(stepOf(span)).toBe(step);
});

it("writes numbers as people do", () => {
  expect([written(-3), written(2.5), written(0), written(0.333)]).toEqual(["\u22123", "2.5", "0", "0.33"]);
});
