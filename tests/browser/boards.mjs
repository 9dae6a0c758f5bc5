/**
 * Take a picture of every workflow as it opens on a screen of 1600 x 950, before and after a run; then of its results.
 *
 *     node tests/browser/boards.mjs URL FOLDER [--nodes2] [--language=zh] [--no-run] [--only=TEXT]
 */

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as browser from "./page.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [url, folder, ...options] = process.argv.slice(2);
const language = options.find((o) => o.startsWith("--language="))?.slice(11);
const only = options.find((o) => o.startsWith("--only="))?.slice(7) ?? "";
const names = readdirSync(join(ROOT, "workflows")).filter((n) => n.endsWith(".json") && n.includes(only)).sort();

const RESULTS = ["SFE_Synthesize", "SFE_PasteBack", "SFE_EditFace", "SFE_Sweep", "SaveVideo", "SFE_TuneGenerator"];
/** Tuning and optimising take minutes, and so do the frames of a film. */
const SLOW = ["SFE_TuneGenerator", "LoadVideo"];
const limitOf = ({ nodes }) => (nodes.some(({ type, widgets_values }) => SLOW.includes(type) || widgets_values?.includes?.("optimise")) ? 500_000 : 120_000);

const { page, said, close } = await browser.open(url, { width: 1600, height: 950 });
const report = {};
try {
  await browser.useNodes2(page, url, options.includes("--nodes2"));
  await page.evaluate(() => window.app.extensionManager.setting.set("Comfy.Minimap.Visible", false));
  if (language) {
    await page.evaluate((code) => window.app.extensionManager.setting.set("Comfy.Locale", code), language);
    await page.waitForTimeout(1500);
    await browser.enter(page, url);
  }
  for (const name of names) {
    const from = said.length;
    const data = JSON.parse(readFileSync(join(ROOT, "workflows", name), "utf8"));
    await page.evaluate((d) => window.app.loadGraphData(d, true, true, null, { openSource: "template" }), data);
    await page.waitForTimeout(2500);
    const shot = (when) => page.screenshot({ path: join(folder, `${name.slice(0, -5)} ${when}.png`) });
    await shot("opened");
    const zoom = await page.evaluate(() => window.app.canvas.ds.scale);
    const run = options.includes("--no-run") ? null : await browser.run(page, limitOf(data));
    await page.waitForTimeout(1500);
    if (run) {
      await shot("run");
      await browser.fit(page, RESULTS, 2);
      await shot("result");
    }
    report[name] = { zoom, run, complaints: browser.complaints(said, from), ...(await browser.interruptions(page)) };
  }
} finally {
  if (language) await page.evaluate(() => window.app.extensionManager.setting.set("Comfy.Locale", "en")).catch(() => {});
  await close();
}
process.stdout.write(JSON.stringify(report));
