/** Hangs the direction picker and the before/after slider onto the pack's nodes. Nothing works less without it. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { offerOf, toggled } from "./lib/directions.js";
import { after, isConnected, modelOf, onlyModel, setValue, widgetOf } from "./lib/graph.js";
import { say } from "./lib/words.js";
import { COMPARE_HEIGHT, makeCompare } from "./views/compare.js";
import { PICKER_HEIGHT, makePicker } from "./views/picker.js";
import { addStyle } from "./views/style.js";

const PICKING = new Set(["SFE_ApplyDirection", "SFE_EditFace", "SFE_Sweep"]);
const COMPARING = new Set(["SFE_Synthesize", "SFE_PasteBack"]);
const LOADER = "SFE_LoadModel";
const FAVOURITES = "StyleFeatureEditor.Favourites";

/** Definitions of the nodes with a picker, by id; renewed when ComfyUI's menus are. */
const definitions = new Map();
/** The `refresh` of every picker that is on a graph. */
const pickers = new Set();
let favourites = [];

const words = (key, values) => say(app.extensionManager?.setting?.get("Comfy.Locale"), key, values);
const refreshAll = () => pickers.forEach((refresh) => refresh());

/** Add an element under a node's widgets; it is part of no file and no prompt. */
function addView(node, name, element, height) {
  const options = { serialize: false, hideInPanel: true, hideOnZoom: false, getMinHeight: () => height, getMaxHeight: () => height };
  const widget = node.addDOMWidget(name, name, element, options);
  widget.serialize = false;
  const [width, needed] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], needed)]);
}

function addPicker(node) {
  const direction = widgetOf(node, "direction");
  const strength = widgetOf(node, "strength");
  const ends = ["from_strength", "to_strength"].map((name) => widgetOf(node, name));
  const set = (widget, value) => {
    setValue(node, widget, value, app.canvas);
    node.setDirtyCanvas(true, true);
  };
  const { element, refresh } = makePicker({
    read: () => ({
      offer: offerOf(definitions.get(node.comfyClass)),
      model: modelOf(node) ?? onlyModel((app.rootGraph ?? app.graph).nodes),
      name: direction.value,
      custom: isConnected(node, "custom_direction"),
      strength: strength ? strength.value : null,
      favourites,
    }),
    choose: (name) => set(direction, name),
    move: (value) => set(strength, value),
    sweep: (range) => range.forEach((value, i) => set(ends[i], value)),
    toggle: (chosen) => {
      favourites = toggled(favourites, chosen);
      api.storeSetting(FAVOURITES, favourites);
      refreshAll();
    },
    say: words,
  });
  addView(node, "sfe_picker", element, PICKER_HEIGHT);
  for (const widget of [direction, strength]) if (widget) after(widget, "callback", refresh);
  after(node, "onConnectionsChange", () => setTimeout(refreshAll));
  after(node, "onConfigure", () => setTimeout(refresh));
  after(node, "onRemoved", () => pickers.delete(refresh));
  pickers.add(refresh);
  refresh();
}

function addCompare(node) {
  let view = null;
  const show = (output) => {
    const made = view ?? makeCompare((path) => api.apiURL(path), words);
    if (!made.show(output) || view) return;
    view = made;
    addView(node, "sfe_compare", view.element, COMPARE_HEIGHT);
  };
  after(node, "onExecuted", show);
  after(node, "onConfigure", () => setTimeout(() => show(app.nodeOutputs?.[node.id])));
}

app.registerExtension({
  name: "StyleFeatureEditor",
  async setup() {
    addStyle();
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
    if (PICKING.has(node.comfyClass)) addPicker(node);
    if (COMPARING.has(node.comfyClass)) addCompare(node);
    if (node.comfyClass === LOADER) {
      after(widgetOf(node, "model"), "callback", refreshAll);
      after(node, "onConfigure", () => setTimeout(refreshAll));
    }
  },
});
