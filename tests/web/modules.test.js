/** The rules for what ComfyUI loads into the browser. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const WEB = resolve(dirname(fileURLToPath(import.meta.url)), "../../web");
const FILES = readdirSync(WEB, { recursive: true }).map(String).filter((name) => name.endsWith(".js"));
const CORE = ["../../scripts/api.js", "../../scripts/app.js"];
// Each of these makes the newest front end warn.
const OLD = [/\.inputEl\b/, /\binput\.link\b/, /\boutput\.links\b/, /\.setSizeForImage\b/, /\bselected_nodes\b/, /\bgetCanvasMenuOptions\b/, /\bgetExtraMenuOptions\b/];

describe.each(FILES)("%s", (name) => {
  const text = readFileSync(join(WEB, name), "utf8");
  const imports = [...text.matchAll(/^import [^;]*?["']([^"']+)["'];/gm)].map((m) => m[1]);

  it("imports the pack's own modules; only the registration file imports ComfyUI's, and only two", () => {
    const others = imports.filter((path) => !resolve(WEB, dirname(name), path).startsWith(WEB));
    expect(others).toEqual(name === "style_feature_editor.js" ? CORE : []);
  });
  it("is small and uses nothing that is on its way out", () => {
    expect(text.split("\n").length).toBeLessThan(180);
    for (const pattern of OLD) expect(text).not.toMatch(pattern);
  });
  it("keeps the pure logic away from the page", () => {
    if (name.startsWith("lib")) expect(text).not.toMatch(/\b(document|window)\./);
  });
});

it("holds no tests", () => {
  expect(readdirSync(WEB, { recursive: true }).map(String).filter((name) => /test/i.test(name))).toEqual([]);
});
