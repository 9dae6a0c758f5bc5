/**
 * Take the screenshots of docs/comfyui.md into docs/: the graph of the workflow one_edit, and its nodes from near.
 *
 *     node tests/browser/screenshots.mjs URL
 */

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as browser from "./page.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [url] = process.argv.slice(2);
const QUALITY = 82;
const MARGIN = 16;

const { page, close } = await browser.open(url, { width: 2000, height: 1100 });

/** The part of the page that these nodes, with their groups, take up. */
const boxOf = (types) =>
  page.evaluate(
    ([wanted, margin]) => {
      const { ds, canvas } = window.app.canvas;
      const place = canvas.getBoundingClientRect();
      const nodes = window.app.graph._nodes.filter((n) => !wanted || wanted.includes(n.type));
      const boxes = nodes.map((n) => [n.pos[0], n.pos[1] - 40, n.pos[0] + n.size[0], n.pos[1] + n.size[1]]);
      if (!wanted) boxes.push(...window.app.graph._groups.map((g) => [g.pos[0], g.pos[1], g.pos[0] + g.size[0], g.pos[1] + g.size[1]]));
      const at = (i, pick) => pick(...boxes.map((b) => b[i]));
      const x = Math.max(0, place.left + (at(0, Math.min) + ds.offset[0]) * ds.scale - margin);
      const y = Math.max(0, place.top + (at(1, Math.min) + ds.offset[1]) * ds.scale - margin);
      const right = place.left + (at(2, Math.max) + ds.offset[0]) * ds.scale + margin;
      const bottom = place.top + (at(3, Math.max) + ds.offset[1]) * ds.scale + margin;
      return { x, y, width: Math.min(right, innerWidth) - x, height: Math.min(bottom, innerHeight) - y };
    },
    [types, MARGIN],
  );

try {
  await page.evaluate(() => window.app.extensionManager.setting.set("Comfy.Minimap.Visible", false));
  await browser.useNodes2(page, url, true);
  await browser.load(page, JSON.parse(readFileSync(join(ROOT, "workflows/01 One edit.json"), "utf8")));
  const run = await browser.run(page);
  if (run !== "execution_success") throw new Error(run);
  await page.waitForTimeout(5000);
  await browser.fit(page);
  await page.screenshot({ path: join(ROOT, "docs/graph.jpg"), quality: QUALITY, type: "jpeg", clip: await boxOf(null) });
  const near = ["SFE_ApplyDirection", "SFE_ComputeDelta", "SFE_Synthesize"];
  await page.evaluate((types) => {
    const { graph } = window.app;
    graph._groups.splice(0);
    const nodes = types.map((type) => graph._nodes.find((n) => n.type === type));
    nodes.forEach((n, i) => (n.pos = [i * 360, 6000]));
  }, near);
  await browser.fit(page, near, 1.2);
  await page.screenshot({ path: join(ROOT, "docs/nodes.jpg"), quality: QUALITY, type: "jpeg", clip: await boxOf(near) });
  process.stdout.write(JSON.stringify(["docs/graph.jpg", "docs/nodes.jpg"]));
} finally {
  await close();
}
