/**
 * Measure live editing: from the moment that a person lets the slider go until a new picture is on the node, and until it
 * is the full one; while the slider is in the hand, from its last step on; and the same when it goes on as soon as it has
 * seen what it was at, whose full picture is still being made.
 *
 *     node tests/browser/measure_latency.mjs URL [REPEATS]
 *
 * Uses the workflow one_edit with "Run (On Change)"; prints JSON with milliseconds.
 */

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as browser from "./page.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [url, repeats = "15"] = process.argv.slice(2);
const { page, said, close } = await browser.open(url);
try {
  await browser.useNodes2(page, url, false);
  await browser.load(page, JSON.parse(readFileSync(join(ROOT, "workflows/01 One edit.json"), "utf8")));
  // Two strengths, so that nothing of the second is in ComfyUI's cache: then the compare view is there.
  await browser.run(page);
  await setStrength(1.234);
  await browser.run(page);
  await page.locator(".sfe-compare").waitFor();
  await page.evaluate(() => {
    // What is watched lies far apart in the graph; put it side by side.
    const one = (type) => window.app.graph._nodes.find((n) => n.type === type);
    one("SFE_Synthesize").pos = [one("SFE_ApplyDirection").pos[0] + 380, one("SFE_ApplyDirection").pos[1]];
  });
  await browser.fit(page, ["SFE_ApplyDirection", "SFE_Synthesize"]);
  await browser.runOnChange(page);
  await page.waitForTimeout(1500);
  const side = await page.evaluate(() => document.querySelector(".sfe-compare .sfe-after").naturalWidth);
  const found = { released: [], held: [], moved_on: [] };
  for (let i = 0; i < Number(repeats); i++) {
    for (const [number, way] of Object.keys(found).entries()) {
      const box = await page.locator(".sfe-picker input[type=range]").first().boundingBox();
      const y = box.y + box.height / 2;
      const place = (n) => box.x + box.width * (0.1 + 0.8 * ((n * 0.618) % 1));
      await page.mouse.move(box.x + 3, y); // its lower end, where no measurement ends
      if (way === "released") await watch("pointerup", side);
      await page.mouse.down();
      if (way !== "released") await quiet(side); // what the lower end has set off
      if (way === "moved_on") {
        await page.mouse.move(place(4 * i + 3), y);
        await page.waitForFunction((full) => document.querySelector(".sfe-compare .sfe-after").naturalWidth < full, side);
      }
      if (way !== "released") await watch("input", side);
      await page.mouse.move(place(4 * i + number), y);
      if (way === "released") await page.mouse.up(); // at once: the slider does not rest
      found[way].push(await page.evaluate(() => window.sfeLatency));
      if (way !== "released") await page.mouse.up();
      await quiet(side);
    }
  }
  const frontend = await page.evaluate(() => window.__COMFYUI_FRONTEND_VERSION__);
  const of = (all) => ({ first: summary(all.map(([first]) => first)), full: summary(all.map(([, full]) => full)) });
  const ways = Object.fromEntries(Object.entries(found).map(([way, all]) => [way, of(all)]));
  const heard = { complaints: browser.complaints(said), ...(await browser.interruptions(page)) };
  process.stdout.write(`${JSON.stringify({ frontend, repeats: Number(repeats), ...ways, ...heard })}\n`);
} finally {
  await close();
}

function summary(all) {
  const sorted = [...all].sort((a, b) => a - b).map(Math.round);
  return { median_ms: sorted[Math.floor(sorted.length / 2)], fastest_ms: sorted[0], slowest_ms: sorted.at(-1), all_ms: all.map(Math.round) };
}

/** Wait until nothing runs any more and the full picture is there. */
async function quiet(side) {
  await page.waitForTimeout(1500);
  await page.waitForFunction((full) => {
    const picture = document.querySelector(".sfe-compare .sfe-after");
    return picture.complete && picture.naturalWidth === full;
  }, side);
}

function setStrength(value) {
  return page.evaluate((v) => {
    const node = window.app.graph._nodes.find((n) => n.type === "SFE_ApplyDirection");
    node.widgets.find((w) => w.name === "strength").value = v;
  }, value);
}

/** Start the clock at the next event of a kind; it stops at the next draft, and at the picture of `side` px after it. */
function watch(kind, side) {
  return page.evaluate(([event, full]) => {
    window.sfeLatency = new Promise((done, failed) => {
      let start = null;
      const picture = document.querySelector(".sfe-compare .sfe-after");
      window.addEventListener(event, () => (start = performance.now()), { once: true, capture: true });
      const times = [];
      const loaded = () => {
        if (start === null) return;
        const last = picture.naturalWidth === full;
        if (last && !times.length) return; // the place before: a draft comes first
        if (last) picture.removeEventListener("load", loaded);
        requestAnimationFrame(() => {
          times.push(performance.now() - start);
          if (last) done([times[0], times.at(-1)]);
        });
      };
      picture.addEventListener("load", loaded);
      setTimeout(() => failed(new Error(`no picture of ${full} px in 20 s; seen after ${times}, now ${picture.naturalWidth} px, from ${start}`)), 20_000);
    });
    window.sfeLatency.catch(() => {});
  }, [kind, side]);
}
