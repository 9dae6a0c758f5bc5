/** The real front end in a headless Chromium: opened, watched, and asked. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

// Nothing but this machine is reached; asking Playwright about every request would add to what is measured.
const ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync", ALONE];
const LOCAL = new Set(["127.0.0.1", "localhost"]);
/** What a message of this pack has in its text or in the files that it came from. */
const OWN = /stylefeatureeditor|SFE_|sfe_|sfe-/i;

/**
 * Open the front end.
 * @param {string} url
 * @param {{width?: number, height?: number, newcomer?: boolean}} [how] newcomer: what a first visit begins with may come
 * @returns {Promise<{page: import("playwright-core").Page, said: {type: string, text: string, from: string[]}[],
 *   close: () => Promise<void>}>} said: the console, errors and failed requests; from: the files that each came from
 */
export async function open(url, { width = 1500, height = 950, newcomer = false } = {}) {
  if (!newcomer) await fetch(`${url}/api/settings/Comfy.TutorialCompleted`, { method: "POST", body: "true" });
  const profile = mkdtempSync(join(tmpdir(), "sfe-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width, height },
    args: FLAGS,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const said = [];
  const devtools = await context.newCDPSession(page);
  await devtools.send("Runtime.enable");
  devtools.on("Runtime.consoleAPICalled", ({ type, args, stackTrace }) => {
    const text = args.map((a) => a.description ?? String(a.value ?? a.type)).join(" ");
    said.push({ type, text, from: (stackTrace?.callFrames ?? []).map((frame) => frame.url) });
  });
  page.on("pageerror", (error) => said.push({ type: "error", text: String(error.stack ?? error), from: [] }));
  page.on("response", (r) => {
    if (r.status() >= 400 && LOCAL.has(new URL(r.url()).hostname)) said.push({ type: "error", text: `${r.status()} ${r.url()}`, from: [] });
  });
  await enter(page, url);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { page, said, close };
}

/** Load the page, and wait until all nodes are known. */
export async function enter(page, url) {
  await page.goto(url, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(
    () => window.app?.graph && window.app.extensionManager && Object.keys(window.LiteGraph?.registered_node_types ?? {}).length > 50,
    null,
    { timeout: 120_000 },
  );
  await page.waitForTimeout(1500);
  await dismiss(page);
}

/** Close what the front end opens for somebody who is there for the first time. */
export async function dismiss(page) {
  for (let i = 0; i < 3 && (await page.locator("[role=dialog]:visible").count()); i++) {
    await page.keyboard.press("Escape");
    await page.waitForTimeout(400);
  }
}

/** Open a workflow in UI format as a file would be opened. */
export async function load(page, workflow) {
  const error = await page.evaluate(async (data) => {
    try {
      await window.app.loadGraphData(data, true, true, null);
    } catch (error) {
      return String(error);
    }
    return null;
  }, workflow);
  if (error) throw new Error(`The workflow cannot be loaded: ${error}`);
  await page.waitForTimeout(900);
}

/** Run the graph; resolves with "execution_success", "execution_error", "refused" or "timeout", which ends the run. */
export function run(page, timeout = 60_000) {
  return page.evaluate((limit) => {
    const { api } = window.app;
    return new Promise((resolve) => {
      const ends = ["execution_success", "execution_error", "execution_interrupted"];
      const end = (word) => {
        clearTimeout(timer);
        ends.forEach((name) => api.removeEventListener(name, listen));
        resolve(word);
      };
      const listen = (event) => end(event.type);
      const timer = setTimeout(() => {
        end("timeout");
        api.interrupt(); // what comes next shall not wait for it
      }, limit);
      ends.forEach((name) => api.addEventListener(name, listen));
      window.app.queuePrompt(0, 1).catch(() => end("refused"));
    });
  }, timeout);
}

/** The texts of dialogs and toasts that are to be seen. */
export async function interruptions(page) {
  return {
    dialogs: await page.locator("[role=dialog]:visible, .comfy-modal:visible").allInnerTexts(),
    toasts: await page.locator(".p-toast-message:visible, [data-testid=toast]:visible").allInnerTexts(),
  };
}

/** Errors and warnings since `from` that this pack has to do with; the front end has others of its own. */
export function complaints(said, from = 0) {
  return said
    .slice(from)
    .filter(({ type }) => ["error", "warning", "assert"].includes(type))
    .filter((message) => [message.text, ...message.from].some((text) => OWN.test(text)))
    .map(({ type, text }) => `${type}: ${text.slice(0, 500)}`);
}

/** Move the canvas so that these nodes (all by default) are seen, as "fit view" does. */
export async function fit(page, types = null, most = 1) {
  await page.evaluate(
    ([wanted, limit]) => {
      const nodes = window.app.graph._nodes.filter((n) => !wanted || wanted.includes(n.type));
      const boxes = nodes.map((n) => [n.pos[0], n.pos[1] - 40, n.pos[0] + n.size[0], n.pos[1] + n.size[1]]);
      const [left, top] = [0, 1].map((i) => Math.min(...boxes.map((b) => b[i])));
      const [right, bottom] = [2, 3].map((i) => Math.max(...boxes.map((b) => b[i])));
      const { ds, canvas } = window.app.canvas;
      const [width, height] = [canvas.clientWidth - 120, canvas.clientHeight - 160];
      ds.scale = Math.min(limit, width / (right - left), height / (bottom - top));
      ds.offset = [80 / ds.scale - left, 110 / ds.scale - top];
      window.app.canvas.setDirty(true, true);
    },
    [types, most],
  );
  await page.waitForTimeout(500);
}

/** Move the canvas to where no node is. */
export async function toEmptyPlace(page) {
  await page.evaluate(() => {
    const { ds } = window.app.canvas;
    ds.scale = 1;
    ds.offset = [200, 3000];
    window.app.canvas.setDirty(true, true);
  });
  await page.waitForTimeout(300);
}

/** Turn Nodes 2.0 on or off, where it is not so already, and load the page anew. */
export async function useNodes2(page, url, on) {
  const now = await page.evaluate(() => window.app.extensionManager.setting.get("Comfy.VueNodes.Enabled"));
  if (Boolean(now) === on) return;
  await page.evaluate((value) => window.app.extensionManager.setting.set("Comfy.VueNodes.Enabled", value), on);
  await page.waitForTimeout(500);
  await enter(page, url);
  const real = await page.evaluate(() => window.app.extensionManager.setting.get("Comfy.VueNodes.Enabled"));
  if (Boolean(real) !== on) throw new Error(`Nodes 2.0 is ${real}, expected ${on}`);
}

/** Numbers of the nodes of a type, in the order of the graph. */
export function idsOf(page, type) {
  return page.evaluate((wanted) => window.app.graph._nodes.filter((n) => n.type === wanted).map((n) => n.id), type);
}

/** Add a node as a person does: double-click on the canvas, type its name, Enter. */
export async function addByName(page, name) {
  const canvas = page.locator("#graph-canvas");
  const { width, height } = await canvas.boundingBox();
  await page.mouse.dblclick(width * 0.45, height * 0.8);
  await page.waitForTimeout(700);
  await page.keyboard.type(name, { delay: 15 });
  await page.waitForTimeout(1200);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(1000);
}

/** Choose "Run (On Change)" in the menu beside the Run button. */
export async function runOnChange(page) {
  await page.locator('[data-testid="queue-mode-menu-trigger"], .p-splitbutton-dropdown').first().click();
  await page.waitForTimeout(500);
  await page.locator("[role=menuitem], [role=menuitemradio]").filter({ hasText: /On Change/ }).first().click({ timeout: 5000 });
  await page.waitForTimeout(500);
}
