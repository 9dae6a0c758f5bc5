/**
 * Try the pack in the real front end; prints what happened as JSON, for test_front_end.py to judge.
 *
 *     node tests/browser/check.mjs URL FOLDER [--nodes2] [--only=TEXT,TEXT]
 *
 * FOLDER: where the screenshots go. TEXT: what is in the names of the checks wanted; one of them is enough.
 */

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as browser from "./page.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [url, folder, ...options] = process.argv.slice(2);
const nodes2 = options.includes("--nodes2");
const only = options.find((o) => o.startsWith("--only="))?.slice(7).split(",") ?? [""];

const read = (path) => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
const workflow = (name) => read(`workflows/${name}.json`);
const names = readdirSync(join(ROOT, "workflows")).filter((n) => n.endsWith(".json")).map((n) => n.slice(0, -5)).sort();

const { page, said, close } = await browser.open(url);
const report = { nodes2, failed: {} };

/** Run one check; a failure is reported with its name and a screenshot, and the others still run. */
async function check(name, what) {
  if (name !== "views" && !only.some((text) => name.includes(text))) return;
  const start = Date.now();
  try {
    report[name] = await what();
  } catch (error) {
    report.failed[name] = String(error.stack ?? error).slice(0, 1500);
    await page.screenshot({ path: join(folder, `failed-${name}.png`) }).catch(() => {});
  }
  process.stderr.write(`${name}: ${Date.now() - start} ms\n`);
}

/** Widget values by node and name, of those that are saved. */
const values = () =>
  page.evaluate(() =>
    Object.fromEntries(
      window.app.graph._nodes.map((n) => [n.id, (n.widgets ?? []).filter((w) => w.serialize !== false).map((w) => [w.name, w.value])]),
    ),
  );
const prompt = () =>
  page.evaluate(async () => {
    const { output } = await window.app.graphToPrompt();
    return Object.fromEntries(Object.entries(output).map(([id, n]) => [id, { class_type: n.class_type, inputs: n.inputs }]));
  });
const setWidget = (type, name, value) =>
  page.evaluate(
    ([wanted, widgetName, newValue]) => {
      const node = window.app.graph._nodes.find((n) => n.type === wanted);
      const widget = node.widgets.find((w) => w.name === widgetName);
      widget.value = newValue;
      widget.callback?.(newValue, window.app.canvas, node);
    },
    [type, name, value],
  );
const widgetValue = (type, name) =>
  page.evaluate(
    ([wanted, widgetName]) => window.app.graph._nodes.find((n) => n.type === wanted).widgets.find((w) => w.name === widgetName).value,
    [type, name],
  );
const picker = () => page.locator(".sfe-picker").first();
const slider = () =>
  picker().locator("input[type=range]").evaluate((e) => ({ min: Number(e.min), max: Number(e.max), value: Number(e.value) }));
const state = () => picker().evaluate((e) => e.dataset.state);

try {
  await browser.useNodes2(page, url, nodes2);
  report.frontend = await page.evaluate(() => window.__COMFYUI_FRONTEND_VERSION__);

  for (const name of names) {
    await check(`workflow ${name}`, async () => {
      const from = said.length;
      await browser.load(page, workflow(name));
      await browser.fit(page);
      const first = await values();
      const sent = await prompt();
      const saved = await page.evaluate(() => JSON.parse(JSON.stringify(window.app.graph.serialize())));
      await page.screenshot({ path: join(folder, `${name}.png`) });
      const interruptions = await browser.interruptions(page);
      await browser.load(page, saved);
      return { ...interruptions, complaints: browser.complaints(said, from), first, again: await values(), sent, sentAgain: await prompt() };
    });
  }

  // Front ends that drew Nodes 2.0 as a hidden trial show no elements of extensions.
  await check("views", async () => {
    await browser.load(page, workflow("01 One edit"));
    await browser.fit(page, ["SFE_ApplyDirection"]);
    return (await page.locator(".sfe-picker").count()) > 0;
  });
  const checkView = (name, what) => (report.views ? check(name, what) : null);

  await checkView("range", async () => {
    await browser.load(page, workflow("01 One edit"));
    await browser.fit(page, ["SFE_ApplyDirection"]);
    const found = {};
    for (const name of ["smile", "glasses", "hair_colour"]) {
      await setWidget("SFE_ApplyDirection", "direction", name);
      const text = await picker().innerText();
      found[name] = { ...(await slider()), text, title: await picker().getAttribute("title") };
    }
    await picker().locator("select").selectOption("age");
    const chosen = await widgetValue("SFE_ApplyDirection", "direction");
    const box = await picker().locator("input[type=range]").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const dragged = await widgetValue("SFE_ApplyDirection", "strength");
    const after = await slider();
    await setWidget("SFE_ApplyDirection", "strength", 40);
    const beyond = { ...(await slider()), kept: await widgetValue("SFE_ApplyDirection", "strength"), text: await picker().innerText() };
    await page.screenshot({ path: join(folder, "picker.png") });
    return { found, chosen, dragged, after, beyond };
  });

  await checkView("favourites", async () => {
    const groups = () => picker().locator("optgroup").evaluateAll((all) => all.map((g) => g.label));
    await picker().locator("select").selectOption("age");
    const before = await groups();
    await picker().locator(".sfe-star").click();
    const marked = await groups();
    await page.waitForTimeout(500);
    const stored = await page.evaluate(() => window.app.api.getSetting("StyleFeatureEditor.Favourites"));
    await picker().locator(".sfe-star").click();
    return { before, marked, stored, after: await groups() };
  });

  await checkView("vanished", async () => {
    await browser.load(page, workflow("01 One edit"));
    await browser.fit(page, ["SFE_ApplyDirection"]);
    const fits = await state();
    await setWidget("SFE_ApplyDirection", "direction", "yaw");
    await setWidget("SFE_LoadModel", "model", "ffhq-1024 (download)");
    const other = { state: await state(), text: await picker().innerText(), value: await widgetValue("SFE_ApplyDirection", "direction") };
    await page.screenshot({ path: join(folder, "vanished.png") });
    const data = workflow("01 One edit");
    data.nodes.find((n) => n.type === "SFE_ApplyDirection").widgets_values[0] = "wings";
    await browser.load(page, data);
    await browser.fit(page, ["SFE_ApplyDirection"]);
    const gone = { state: await state(), value: await widgetValue("SFE_ApplyDirection", "direction"), text: await picker().innerText() };
    const sent = Object.values(await prompt()).find((n) => n.class_type === "SFE_ApplyDirection").inputs.direction;
    await page.evaluate(() => window.app.refreshComboInNodes());
    await page.waitForTimeout(500);
    return { fits, other, gone, sent, refreshed: await widgetValue("SFE_ApplyDirection", "direction") };
  });

  await checkView("compare", async () => {
    const from = said.length;
    const data = workflow("06 Edit one place");
    // Another person each time, so that nothing comes from ComfyUI's cache.
    data.nodes.find((n) => n.type === "SFE_DemoPortrait").widgets_values[0] = Date.now() % 1_000_000;
    await browser.load(page, data);
    const run = await browser.run(page);
    await page.waitForTimeout(1500);
    await browser.fit(page, ["SFE_Synthesize"]);
    const view = page.locator(".sfe-compare").first();
    const box = await view.boundingBox();
    const look = () => view.evaluate((e) => ({ position: Number(e.dataset.position), clip: e.querySelector(".sfe-before").style.clipPath }));
    const start = await look();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    const moved = await look();
    await page.screenshot({ path: join(folder, "compare.png") });
    const loaded = await view.locator("img").evaluateAll((all) => all.map((i) => i.naturalWidth));
    const shown = await page.evaluate(() =>
      Object.fromEntries(window.app.graph._nodes.map((n) => [n.type, Object.keys(window.app.nodeOutputs[n.id] ?? {}).filter((k) => k.endsWith("images"))])),
    );
    await browser.fit(page);
    await page.screenshot({ path: join(folder, "compare-graph.png") });
    return { run, start, moved, loaded, shown, complaints: browser.complaints(said, from), ...(await browser.interruptions(page)) };
  });

  await check("help", async () => {
    const from = said.length;
    await browser.load(page, workflow("01 One edit"));
    await browser.fit(page, ["SFE_Synthesize"]);
    await page.evaluate(() => {
      const node = window.app.graph._nodes.find((n) => n.type === "SFE_Synthesize");
      window.app.canvas.ds.offset[0] += 300; // away from the bar at the top, where the node's own buttons would be
      window.app.canvas.ds.offset[1] += 250;
      window.app.canvas.selectNode(node);
      window.app.canvas.setDirty(true, true);
    });
    await page.waitForTimeout(900);
    const button = page
      .locator('[data-testid="info-button"], .selection-toolbox button:has(.pi-question-circle), .selection-toolbox button:has([class*="info"]), [class*=selection-toolbox] button:has([class*="info"])')
      .first();
    await button.click({ timeout: 5000 });
    const content = page.locator(".node-help-content").first();
    await content.waitFor({ timeout: 8000 });
    await page.waitForTimeout(1500);
    const pictures = await content.locator("img").evaluateAll((all) => all.map((i) => ({ src: i.src, width: i.naturalWidth })));
    await page.screenshot({ path: join(folder, "help.png") });
    return { text: await content.innerText(), pictures, complaints: browser.complaints(said, from) };
  });
  await check("working", async () => {
    const data = workflow("05 Strength sweep");
    const set = (type, index, value) => (data.nodes.find((n) => n.type === type).widgets_values[index] = value);
    set("SFE_DemoPortrait", 0, Date.now() % 1_000_000);
    set("SFE_Sweep", 3, 12); // work of some seconds, in several parts
    await browser.load(page, data);
    await page.evaluate(() => {
      window.sfePreviews = 0;
      for (const name of ["b_preview", "b_preview_with_metadata"]) window.app.api.addEventListener(name, () => (window.sfePreviews += 1));
    });
    const start = Date.now();
    const run = await browser.run(page);
    return { run, seconds: (Date.now() - start) / 1000, previews: await page.evaluate(() => window.sfePreviews) };
  });

  await check("blueprint", async () => {
    const served = await page.evaluate(async () => {
      const answer = await fetch("/api/global_subgraphs");
      return answer.ok ? Object.values(await answer.json()).map((entry) => entry.name) : null;
    });
    if (served === null) return { served }; // this ComfyUI has no blueprints of packs
    const data = workflow("02 All in one node");
    await browser.load(page, data);
    await browser.toEmptyPlace(page);
    const before = await page.evaluate(() => window.app.graph._nodes.map((n) => n.id));
    await browser.addByName(page, served[0]);
    const added = await page.evaluate((ids) => {
      const { graph } = window.app;
      const node = graph._nodes.find((n) => !ids.includes(n.id));
      if (!node) return null;
      const one = (type) => graph._nodes.find((n) => n.type === type);
      one("SFE_LoadModel").connect(0, node, node.inputs.findIndex((i) => i.name === "model"));
      one("SFE_DemoPortrait").connect(0, node, node.inputs.findIndex((i) => i.name === "image"));
      node.connect(node.outputs.findIndex((o) => o.name === "image"), one("SaveImage"), 0);
      return {
        inputs: node.inputs.map((i) => i.name),
        outputs: node.outputs.map((o) => o.name),
        widgets: (node.widgets ?? []).filter((w) => w.serialize !== false).map((w) => [w.name, w.value]),
      };
    }, before);
    const run = added && (await browser.run(page));
    await browser.fit(page);
    await page.screenshot({ path: join(folder, "blueprint.png") });
    return { served, added, run };
  });

  await checkView("language", async () => {
    const use = async (language) => {
      await page.evaluate((code) => window.app.extensionManager.setting.set("Comfy.Locale", code), language);
      await page.waitForTimeout(1500); // the setting goes to the server
      await browser.enter(page, url);
    };
    await use("zh");
    try {
      await browser.load(page, workflow("01 One edit"));
      await browser.fit(page, ["SFE_ApplyDirection"]);
      await page.screenshot({ path: join(folder, "language.png") });
      const labels = await page.evaluate(() => {
        const node = window.app.graph._nodes.find((n) => n.type === "SFE_ApplyDirection");
        return [node.title, ...[...node.inputs, ...node.outputs, ...node.widgets].map((one) => one.label ?? one.name)];
      });
      return { labels, picker: await picker().innerText() };
    } finally {
      await use("en");
    }
  });

  await checkView("live", async () => {
    await browser.load(page, workflow("01 One edit"));
    await browser.run(page);
    await browser.fit(page, ["SFE_ApplyDirection"]);
    await browser.runOnChange(page);
    await page.waitForTimeout(1000);
    await page.evaluate(() => {
      window.sfeRan = [];
      const name = ({ detail }) => window.app.graph.getNodeById(Number(detail?.node ?? detail))?.type ?? "end";
      window.app.api.addEventListener("executing", (event) => window.sfeRan.push(name(event)));
    });
    const box = await page.locator(".sfe-picker input[type=range]").first().boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2, { steps: 3 });
    await page.waitForFunction(() => window.sfeRan.includes("end"), null, { timeout: 20_000 });
    const held = await page.evaluate(() => window.sfeRan.splice(0));
    await page.mouse.up();
    await page.waitForFunction(() => window.sfeRan.includes("SaveImage"), null, { timeout: 20_000 });
    return { held, released: await page.evaluate(() => window.sfeRan) };
  });

  report.complaints = browser.complaints(said);
} finally {
  await close();
}
process.stdout.write(JSON.stringify(report));
