/** Hangs the direction picker and the before/after slider onto the pack's nodes. Nothing works less without it. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { fitting, look, offerOf, toggled } from "./lib/directions.js";
import { after, below, foldAdvanced, hide, isActive, isConnected, modelOf, onlyModel, setValue, widgetOf } from "./lib/graph.js";
import { makeLive, whileBusy } from "./lib/live.js";
import { called, effectIn } from "./lib/names.js";
import { say } from "./lib/words.js";
import { COMPARE_HEIGHT, makeCompare } from "./views/compare.js";
import { PICKER_HEIGHT, makePicker } from "./views/picker.js";
import { addStyle } from "./views/style.js";

const PICKING = new Set(["SFE_ApplyDirection", "SFE_EditFace", "SFE_Sweep"]);
const COMPARING = new Set(["SFE_Synthesize", "SFE_PasteBack", "SFE_EditFace"]);
const LOADER = "SFE_LoadModel";
const FAVOURITES = "StyleFeatureEditor.Favourites";
const MOST_HEIGHT = 2048; // in px, of the pictures of a comparison
const ELEMENTS_MS = 1500; // after that an element of an extension is on the page, if it ever will be

/** Definitions of the nodes with a picker, by id; renewed when ComfyUI's menus are. */
const definitions = new Map();
/** The `refresh` of every picker that is on a graph. */
const pickers = new Set();
let favourites = [];

const language = () => app.extensionManager?.setting?.get("Comfy.Locale");
const words = (key, values) => say(language(), key, values);
const refreshAll = () => pickers.forEach((refresh) => refresh());

/** Runs that are queued or running; the front end tells it itself. */
let runs = 0;
/** With "Run (On Change)", what a slider changes is shown while it is dragged; nothing that only saves runs for it. */
const live = makeLive({
  wanted: () => app.extensionManager?.queueSettings?.mode === "change",
  busy: () => runs > 0,
  run: async (node) => {
    if (node.graph !== (app.rootGraph ?? app.graph)) return; // numbers inside of a subgraph are others in the prompt
    const shown = below(node, COMPARING).filter(isActive).map(({ id }) => String(id));
    if (!shown.length) return;
    runs += 1;
    try {
      // Through app.queuePrompt the front end would notice the change and run everything.
      return (await api.queuePrompt(0, await app.graphToPrompt(), { partialExecutionTargets: shown })).prompt_id;
    } catch {
      runs = 0; // the run after the slider was let go says what is wrong
    }
  },
  stop: (name) => api.interrupt(name),
});

/** Add an element under a node's widgets, and fit the node to them; it is part of no file and no prompt. most: height. */
function addView(node, name, element, height, most = height) {
  const options = { serialize: false, hideInPanel: true, hideOnZoom: false, getMinHeight: () => height, getMaxHeight: () => most };
  const widget = node.addDOMWidget(name, name, element, options);
  widget.serialize = false;
  const [width, needed] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), name === "sfe_picker" ? needed : Math.max(node.size[1], needed)]);
}

/** The choice and the number that the picker shows in their place, unless something is connected to them. */
function hidePlain(node, widgets, shown) {
  const wanted = widgets.map((widget) => shown() && !isConnected(node, widget.name));
  if (widgets.every((widget, i) => Boolean(widget.hidden) === wanted[i])) return;
  widgets.forEach((widget, i) => hide(widget, wanted[i]));
  node.setDirtyCanvas(true, true);
}

function addPicker(node) {
  const direction = widgetOf(node, "direction");
  const strength = widgetOf(node, "strength");
  const plain = [direction, strength].filter(Boolean);
  const ends = ["from_strength", "to_strength"].map((name) => widgetOf(node, name));
  const set = (widget, value) => {
    setValue(node, widget, value, app.canvas);
    node.setDirtyCanvas(true, true);
  };
  const offer = () => offerOf(definitions.get(node.comfyClass));
  const model = () => modelOf(node) ?? onlyModel((app.rootGraph ?? app.graph).nodes);
  let drawn = true;
  let fresh = true;
  const picker = makePicker({
    read: () => ({
      offer: offer(),
      model: model(),
      name: direction.value,
      custom: isConnected(node, "custom_direction"),
      strength: strength ? strength.value : null,
      favourites,
    }),
    choose: (name) => set(direction, name),
    move: (value) => set(strength, value),
    drag: (value) => {
      set(strength, value);
      live.moved(node);
    },
    release: live.released,
    sweep: (range) => range.forEach((value, i) => set(ends[i], value)),
    toggle: (chosen) => {
      favourites = toggled(favourites, chosen);
      api.storeSetting(FAVOURITES, favourites);
      refreshAll();
    },
    say: words,
    called: (name) => called(language(), name),
    effectOf: (direction) => effectIn(language(), direction.effect),
  });
  const refresh = () => {
    hidePlain(node, plain, () => drawn);
    picker.refresh();
  };
  hidePlain(node, plain, () => true); // before the node is given its size
  addView(node, "sfe_picker", picker.element, PICKER_HEIGHT);
  for (const widget of plain) after(widget, "callback", refresh);
  after(node, "onConnectionsChange", () => setTimeout(refreshAll));
  after(node, "onConfigure", () => {
    fresh = false;
    setTimeout(refresh);
  });
  after(node, "onRemoved", () => pickers.delete(refresh));
  pickers.add(refresh);
  picker.refresh();
  setTimeout(() => {
    if (fresh && node.graph && look(offer(), model(), direction.value).state === "other") {
      set(direction, fitting(offer(), model())[0]?.name ?? direction.value);
    }
  });
  // Front ends that drew Nodes 2.0 as a trial show no elements of extensions: there the plain widgets come back.
  setTimeout(() => {
    drawn = picker.element.isConnected || !app.extensionManager?.setting?.get("Comfy.VueNodes.Enabled");
    refresh();
  }, ELEMENTS_MS);
}

function addCompare(node) {
  let view = null;
  const show = (output) => {
    const made = view ?? makeCompare((path) => api.apiURL(path), words);
    if (!made.show(output) || view) return;
    view = made;
    addView(node, "sfe_compare", view.element, COMPARE_HEIGHT, MOST_HEIGHT);
  };
  after(node, "onExecuted", show);
  whileBusy(api, node, show);
  after(node, "onConfigure", () => setTimeout(() => show(app.nodeOutputs?.[node.id])));
}

app.registerExtension({
  name: "StyleFeatureEditor",
  async setup() {
    addStyle();
    api.addEventListener("sfe.early", live.early);
    api.addEventListener("status", ({ detail }) => {
      runs = detail?.exec_info?.queue_remaining ?? 0;
      if (!runs) live.idle();
    });
    favourites = (await api.getSetting(FAVOURITES)) ?? [];
    refreshAll();
  },
  beforeRegisterNodeDef(_, definition) {
    if (PICKING.has(definition.name)) definitions.set(definition.name, definition);
  },
  refreshComboInNodes(renewed) {
    for (const name of PICKING) if (renewed[name]) definitions.set(name, renewed[name]);
    refreshAll();
  },
  nodeCreated(node) {
    if (node.comfyClass?.startsWith("SFE_")) foldAdvanced(node);
    if (PICKING.has(node.comfyClass)) addPicker(node);
    if (COMPARING.has(node.comfyClass)) addCompare(node);
    // Front end 1.58 gives the button the name of the menu above it.
    if (node.comfyClass === "SFE_LoadPhoto") Object.assign(widgetOf(node, "upload") ?? {}, { label: words("upload") });
    if (node.comfyClass === LOADER) {
      after(widgetOf(node, "model"), "callback", refreshAll);
      for (const event of ["onConfigure", "onAdded", "onRemoved"]) after(node, event, () => setTimeout(refreshAll));
    }
  },
});
