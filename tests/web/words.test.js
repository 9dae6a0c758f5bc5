import { expect, it } from "vitest";
import { WORDS, say } from "../../web/lib/words.js";

const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

it.each(Object.keys(WORDS))("%s says everything that English does", (language) => {
  expect(Object.keys(WORDS[language])).toEqual(Object.keys(WORDS.en));
  for (const key of Object.keys(WORDS.en)) expect(holes(WORDS[language][key])).toEqual(holes(WORDS.en[key]));
});

it("takes regions, and English for languages it does not know", () => {
  expect(say("zh-TW", "before")).toBe("之前");
  expect(say("xx", "before")).toBe("before");
  expect(say(undefined, "useful", { low: "1", high: "2" })).toBe("useful 1 to 2");
});
