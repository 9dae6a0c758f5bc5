/**
 * Go the way of somebody who has just installed the pack, with the mouse alone, and count.
 *
 *     node tests/browser/first_use.mjs URL FOLDER
 *
 * From the empty front end to an edited portrait on the disk: templates, the pack, "one edit", Run, the slider, Run,
 * and the picture saved. FOLDER: where a screenshot of every step goes. Prints JSON.
 */

import { join } from "node:path";
import * as browser from "./page.mjs";

const [url, folder] = process.argv.slice(2);
const PACK = /stylefeatureeditor/i;
const { page, close } = await browser.open(url);
const steps = [];
const start = Date.now();

async function step(name, act) {
  await act();
  await page.waitForTimeout(1200);
  steps.push(name);
  await page.screenshot({ path: join(folder, `first-${steps.length}.png`) });
}
const ended = () =>
  page.evaluate(() => new Promise((resolve) => window.app.api.addEventListener("execution_success", () => resolve(), { once: true })));
const runButton = () => page.locator('[data-testid="queue-button"], button[aria-label="Run"]').first();

/** Where the last picture of the graph is on the page. */
const placeOf = () =>
  page.evaluate(() => {
    const { ds, canvas } = window.app.canvas;
    const node = window.app.graph._nodes.filter((n) => n.type === "PreviewImage").at(-1);
    const box = canvas.getBoundingClientRect();
    const [x, y] = [node.pos[0] + node.size[0] / 2, node.pos[1] + node.size[1] / 2];
    return [box.left + (x + ds.offset[0]) * ds.scale, box.top + (y + ds.offset[1]) * ds.scale];
  });

try {
  await browser.useNodes2(page, url, false);
  await step("open the templates", () => page.locator(".templates-tab-button, button[aria-label*=emplates]").first().click());
  await step("choose the pack", () => page.locator("[role=dialog]").getByText(PACK).first().click());
  await step("choose One edit", () => page.locator("[role=dialog]").getByText(/One edit$/i).first().click());
  let done = ended();
  await step("run", async () => {
    await runButton().click();
    await done;
  });
  done = ended();
  await step("move the slider", async () => {
    const box = await page.locator(".sfe-picker input[type=range]").first().boundingBox();
    await page.mouse.click(box.x + box.width * 0.3, box.y + box.height / 2);
  });
  await step("run again", async () => {
    await runButton().click();
    await done;
  });
  await step("hide the map, which covers the last picture", () =>
    page.locator('[data-testid="close-minmap-button"], [class*=minimap] button:has(.pi-times), .minimap-main-container button').last().click());
  await step("go to the picture (drag the canvas)", async () => {
    const [x, y] = await placeOf();
    await page.mouse.move(400, 800);
    await page.mouse.down({ button: "middle" });
    await page.mouse.move(400 + 600 - x, 800 + 500 - y, { steps: 8 });
    await page.mouse.up({ button: "middle" });
  });
  const place = await placeOf();
  await step("open the picture's menu", () => page.mouse.click(...place, { button: "right" }));
  const download = page.waitForEvent("download", { timeout: 10_000 });
  download.catch(() => {});
  await step("save the picture", () => page.getByText(/^Save Image$/).first().click());
  const file = (await download).suggestedFilename();
  process.stdout.write(`${JSON.stringify({ clicks: steps.length, steps, file, seconds: (Date.now() - start) / 1000 })}\n`);
} catch (error) {
  await page.screenshot({ path: join(folder, "first-failed.png") });
  process.stdout.write(`${JSON.stringify({ steps, error: String(error).slice(0, 700) })}\n`);
} finally {
  await close();
}
