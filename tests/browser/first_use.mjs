/**
 * Go the way of somebody who has just installed the pack, with the mouse alone, and count.
 *
 *     node tests/browser/first_use.mjs URL FOLDER PHOTO [--nodes2]
 *
 * From the empty front end to an edited photo of one's own in the output folder: templates, the pack, "All in one node",
 * the photo, Run. FOLDER: where a screenshot of every step goes; PHOTO: the file that is chosen. Prints JSON.
 */

import { join } from "node:path";
import * as browser from "./page.mjs";

const [url, folder, photo, ...options] = process.argv.slice(2);
const PACK = /stylefeatureeditor/i;
const { page, said, close } = await browser.open(url, { newcomer: true });
const steps = [];
const start = Date.now();

async function step(name, act, clicks = 1) {
  await act();
  await page.waitForTimeout(1200);
  for (let i = 0; i < clicks; i++) steps.push(name);
  await page.screenshot({ path: join(folder, `first-${steps.length}.png`) });
}
const ended = () =>
  page.evaluate(
    () =>
      new Promise((resolve) =>
        ["execution_success", "execution_error"].forEach((name) => window.app.api.addEventListener(name, (event) => resolve(event.type), { once: true })),
      ),
  );
/** As a mouse does: in Nodes 2.0 the picture of a button lies over it. */
async function press(button) {
  const { x, y, width, height } = await button.boundingBox();
  await page.mouse.click(x + width / 2, y + height / 2);
}
const runButton = () => page.locator('[data-testid="queue-button"], button[aria-label="Run"]').first();

/** Where a button on a node's canvas is on the page. */
const placeOf = (type, name) =>
  page.evaluate(
    ([wanted, label]) => {
      const { ds, canvas } = window.app.canvas;
      const node = window.app.graph._nodes.find((n) => n.type === wanted);
      const widget = node.widgets.find((w) => w.name === label || w.type === "button");
      const box = canvas.getBoundingClientRect();
      const [x, y] = [node.pos[0] + node.size[0] / 2, node.pos[1] + widget.last_y + 10];
      return [box.left + (x + ds.offset[0]) * ds.scale, box.top + (y + ds.offset[1]) * ds.scale];
    },
    [type, name],
  );

try {
  const nodes2 = options.includes("--nodes2");
  await browser.useNodes2(page, url, nodes2);
  const frontend = await page.evaluate(() => window.__COMFYUI_FRONTEND_VERSION__);
  // Newer front ends open the templates by themselves for somebody who is there for the first time, a little late.
  const templates = page.locator("[role=dialog]").getByText(PACK).first();
  if (!(await templates.isVisible())) {
    await step("open the templates", () => page.locator(".templates-tab-button, button[aria-label*=emplates]").first().click());
  }
  await step("choose the pack", () => page.locator("[role=dialog]").getByText(PACK).first().click());
  await step("choose All in one node", () => page.locator("[role=dialog]").getByText(/All in one node$/i).first().click());
  await page.waitForTimeout(2500);
  const chooser = page.waitForEvent("filechooser", { timeout: 20_000 });
  chooser.catch(() => {});
  await step("choose file to upload, and the file", async () => {
    if (nodes2) {
      const named = page.getByRole("button", { name: /choose file to upload|upload/i });
      await press(((await named.count()) ? named : page.locator("label:has(input[type=file]), [class*=folder-search]")).first());
    }
    else await page.mouse.click(...(await placeOf("SFE_LoadPhoto", "upload")));
    await (await chooser).setFiles(photo);
    await page.waitForTimeout(2500);
  }, 2);
  const file = await page.evaluate(() => window.app.graph._nodes.find((n) => n.type === "SFE_LoadPhoto").widgets[0].value);
  const done = ended();
  let how;
  await step("run", async () => {
    await runButton().click();
    how = await done;
  });
  const saved = await page.evaluate(() => Object.values(window.app.nodeOutputs).flatMap((o) => o.images ?? []).filter((i) => i.type === "output"));
  const complaints = browser.complaints(said);
  process.stdout.write(`${JSON.stringify({ frontend, nodes2, clicks: steps.length, steps, file, how, saved, complaints, seconds: (Date.now() - start) / 1000 })}\n`);
} catch (error) {
  await page.screenshot({ path: join(folder, "first-failed.png") });
  process.stdout.write(`${JSON.stringify({ steps, error: String(error).slice(0, 700) })}\n`);
} finally {
  await close();
}
