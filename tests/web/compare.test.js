import { expect, it } from "vitest";
import { clip, pairs, share, viewPath } from "../../web/lib/compare.js";

const picture = (filename) => ({ filename, subfolder: "", type: "temp" });
const [a, b, c] = ["a.png", "b.png", "c.png"].map(picture);

it("pairs pictures; a single one before serves all after", () => {
  expect(pairs({ a_images: [a, b], b_images: [c, c] })).toEqual([{ before: a, after: c }, { before: b, after: c }]);
  expect(pairs({ a_images: [a], b_images: [b, c] })).toEqual([{ before: a, after: b }, { before: a, after: c }]);
});

it.each([undefined, null, {}, { images: [a] }, { a_images: [a] }, { b_images: [a] }])("has nothing to show of %j", (output) => {
  expect(pairs(output)).toEqual([]);
});

it("asks the server for a file by its whole name", () => {
  expect(viewPath({ filename: "a b&c.png", subfolder: "x/y", type: "temp" })).toBe("/view?filename=a+b%26c.png&subfolder=x%2Fy&type=temp");
});

it("keeps the line inside the picture", () => {
  expect([share(150, 100, 200), share(0, 100, 200), share(900, 100, 200), share(5, 0, 0)]).toEqual([0.25, 0, 1, 0.5]);
  expect([clip(0), clip(0.25), clip(1)]).toEqual(["inset(0 100% 0 0)", "inset(0 75% 0 0)", "inset(0 0% 0 0)"]);
});
