import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { called, effectIn } from "../../web/lib/names.js";
import { offerOf } from "../../web/lib/directions.js";

const info = JSON.parse(readFileSync(new URL("../nodes/object_info.json", import.meta.url), "utf8"));
const { directions } = offerOf(info.SFE_ApplyDirection);

it("has a name and an effect in Chinese for every direction that comes with the pack", () => {
  for (const { name, effect } of directions) {
    expect(called("zh", name)).toMatch(/[\u4e00-\u9fff]/);
    expect(called("zh", name)).toContain(name);
    if (effect) expect(effectIn("zh-TW", effect), effect).toMatch(/[\u4e00-\u9fff]/);
  }
});

it("leaves English, and what it does not know, as it is", () => {
  expect(called("en", "age")).toBe("age");
  expect(called("zh", "of my own")).toBe("of my own");
  expect(effectIn(undefined, "older")).toBe("older");
});
