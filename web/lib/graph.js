/** Questions to the graph, through methods that old and new front ends share. */

const LOADER = "SFE_LoadModel";
/** LiteGraph's mode of a node that is neither muted nor bypassed. */
const ALWAYS = 0;

/** The number of an input, -1 if there is none. */
function slotOf(node, name) {
  return (node.inputs ?? []).findIndex((input) => input.name === name);
}

/** Whether something is connected to an input. */
export function isConnected(node, name) {
  const slot = slotOf(node, name);
  return slot >= 0 && Boolean(node.graph) && node.isInputConnected(slot);
}

/**
 * The model that a node's directions have to fit: the choice of the Load SFE upstream.
 * @returns {string | null} null where that is not to be seen (outside of a subgraph, or not connected).
 */
export function modelOf(node, seen = new Set()) {
  if (!node?.graph || seen.has(node)) return null; // not on a graph yet: nothing can be asked
  seen.add(node);
  if ((node.comfyClass ?? node.type) === LOADER) return widgetOf(node, "model")?.value ?? null;
  for (const name of ["sfe_model", "source", "inversion"]) {
    const slot = slotOf(node, name);
    const found = slot < 0 ? null : modelOf(node.getInputNode(slot), seen);
    if (found !== null) return found;
  }
  return null;
}

/**
 * The model that all Load SFE nodes among these choose; null where they differ or there is none.
 * For nodes inside of a subgraph, which do not see what is connected outside.
 */
export function onlyModel(nodes) {
  const models = nodes.filter((node) => (node.comfyClass ?? node.type) === LOADER).map((node) => widgetOf(node, "model")?.value);
  return models.length && models.every((model) => model === models[0]) ? (models[0] ?? null) : null;
}

/** The nodes of some types that a node leads to, itself among them. @param {Set<string>} types */
export function below(node, types, seen = new Set()) {
  if (!node || seen.has(node)) return [];
  seen.add(node);
  const own = types.has(node.comfyClass ?? node.type) ? [node] : [];
  const after = (node.outputs ?? []).flatMap((_, slot) => node.getOutputNodes(slot) ?? []);
  return [...own, ...after.flatMap((one) => below(one, types, seen))];
}

/** Whether a node runs: neither muted nor bypassed. */
export const isActive = (node) => node.mode === ALWAYS;

/** A node's widget by its name. */
export function widgetOf(node, name) {
  return (node.widgets ?? []).find((widget) => widget.name === name);
}

/** What a widget that is not drawn takes up: the canvas of 1.27 leaves room for it, and adds 4 px between widgets. */
const NOTHING = [0, -4];
const PLAIN_HEIGHT = 20;
/** Of a text box of several lines. */
const BOX_HEIGHT = 70;
/** How the canvas writes the names of sockets, and where from a line's corner. */
const NAME_COLOUR = "#aaa";
const NAME_FONT = "12px sans-serif";
const NAME_AT = [20, 14];

/** Show or hide a plain widget; hidden ones keep their value, in the file and in the prompt. */
export function hide(widget, hidden) {
  widget.hidden = hidden;
  widget.options = { ...widget.options, hidden };
  widget.computeSize = () => (hidden ? NOTHING : [0, PLAIN_HEIGHT]);
}

/**
 * Keep a node's advanced widgets away until its menu's "Show Advanced".
 * One that something is connected to keeps a line: the wire needs a place of its own.
 */
export function foldAdvanced(node) {
  for (const widget of node.widgets ?? []) {
    if (!widget.options?.advanced) continue;
    const full = widget.computeLayoutSize ? BOX_HEIGHT : PLAIN_HEIGHT;
    const line = () => isConnected(node, widget.name);
    widget.advanced = true;
    widget.computeSize = () => (line() ? [0, PLAIN_HEIGHT] : node.showAdvanced ? [0, full] : NOTHING);
    if (!widget.computeLayoutSize) continue;
    after(node, "onDrawForeground", (context) => {
      if (node.collapsed || node.flags?.collapsed || !line()) return;
      context.fillStyle = NAME_COLOUR;
      context.font = NAME_FONT;
      context.textAlign = "left";
      context.fillText(widget.label ?? widget.name, NAME_AT[0], widget.y + NAME_AT[1]);
    });
  }
}

/** Give a widget a value as if a person had typed it. */
export function setValue(node, widget, value, canvas) {
  widget.value = value;
  widget.callback?.(value, canvas, node);
}

/** Call something after a method, keeping what was there. */
export function after(object, method, call) {
  const before = object[method];
  object[method] = function (...args) {
    const result = before?.apply(this, args);
    call.apply(this, args);
    return result;
  };
}
