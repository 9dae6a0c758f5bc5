import { expect, it } from "vitest";
import { after, below, foldAdvanced, hide, isActive, isConnected, modelOf, onlyModel, setValue, widgetOf } from "../../web/lib/graph.js";

/** A node as the front end has it. */
function node(type, links = {}, widgets = []) {
  const names = Object.keys(links);
  return {
    comfyClass: type,
    graph: {},
    inputs: names.map((name) => ({ name })),
    widgets,
    getInputNode: (slot) => links[names[slot]],
    isInputConnected: (slot) => Boolean(links[names[slot]]),
  };
}
const loader = node("SFE_LoadModel", {}, [{ name: "model", value: "demo" }]);
const invert = node("SFE_Invert", { sfe_model: loader, image: node("LoadImage") });

it("finds the model through chained edits", () => {
  const first = node("SFE_ApplyDirection", { source: invert, custom_direction: undefined });
  expect(modelOf(node("SFE_ApplyDirection", { source: first }))).toBe("demo");
  expect(modelOf(node("SFE_Sweep", { inversion: invert }))).toBe("demo");
  expect(modelOf(node("SFE_EditFace", { sfe_model: loader }))).toBe("demo");
});

it("knows no model where none is connected, and ends on a circle", () => {
  expect(modelOf(node("SFE_ApplyDirection", { source: undefined }))).toBe(null);
  expect(modelOf(node("SFE_ApplyDirection", { source: node("Reroute") }))).toBe(null);
  const circle = node("SFE_ApplyDirection", { source: undefined });
  circle.getInputNode = () => circle;
  expect(modelOf(circle)).toBe(null);
});

it("takes the only model of a graph for nodes that see none", () => {
  const other = node("SFE_LoadModel", {}, [{ name: "model", value: "x.safetensors" }]);
  expect(onlyModel([invert, loader])).toBe("demo");
  expect(onlyModel([loader, loader])).toBe("demo");
  expect([onlyModel([loader, other]), onlyModel([invert]), onlyModel([])]).toEqual([null, null, null]);
});

it("asks nothing of a node that is on no graph yet", () => {
  const fail = () => { throw new Error("asked"); };
  const one = { comfyClass: "SFE_ApplyDirection", graph: null, inputs: [{ name: "source" }], getInputNode: fail, isInputConnected: fail };
  expect([modelOf(one), isConnected(one, "source")]).toEqual([null, false]);
});

it("says what is connected", () => {
  const one = node("SFE_ApplyDirection", { source: invert, custom_direction: undefined });
  expect([isConnected(one, "source"), isConnected(one, "custom_direction"), isConnected(one, "none")]).toEqual([true, false, false]);
});

it("sets a value as a person would", () => {
  const seen = [];
  const widget = { name: "strength", value: 1, callback: (...all) => seen.push(all) };
  const one = node("SFE_ApplyDirection", {}, [widget]);
  setValue(one, widgetOf(one, "strength"), 2, "canvas");
  expect(widget.value).toBe(2);
  expect(seen).toEqual([[2, "canvas", one]]);
});

it("calls after a method and keeps its result", () => {
  const said = [];
  const object = { say(word) { said.push(word); return 7; } };
  after(object, "say", function (word) { said.push(`${word}!`, this === object); });
  expect(object.say("a")).toBe(7);
  expect(said).toEqual(["a", "a!", true]);
  after(object, "none", () => said.push("made"));
  object.none();
  expect(said.at(-1)).toBe("made");
});

it("hides widgets without a gap, and brings them back", () => {
  const widget = { name: "strength", value: 2, options: { min: -5 } };
  hide(widget, true);
  expect(widget).toMatchObject({ hidden: true, value: 2, options: { min: -5, hidden: true } });
  expect(widget.computeSize()[1] + 4).toBe(0);
  hide(widget, false);
  expect(widget.hidden).toBe(false);
  expect(widget.computeSize()[1]).toBeGreaterThan(0);
});

it("folds what is advanced until it is asked for", () => {
  const [plain, layers] = [{ name: "show" }, { name: "layers", options: { advanced: true } }];
  const one = { ...node("SFE_ApplyDirection", {}, [plain, layers]), showAdvanced: false };
  foldAdvanced(one);
  expect(plain).toEqual({ name: "show" });
  expect(layers.advanced && layers.computeSize()[1] + 4).toBe(0);
  one.showAdvanced = true;
  expect(layers.computeSize()[1]).toBeGreaterThan(0);
});

it("leaves a folded text box a line with its name while something is connected to it", () => {
  const box = { name: "landmarks", label: "points", y: 100, options: { advanced: true }, computeLayoutSize: () => ({ minHeight: 50 }) };
  const one = { ...node("SFE_EditFace", { landmarks: {} }, [box]), graph: {}, showAdvanced: false, connected: true };
  one.inputs = [{ name: "landmarks" }];
  one.isInputConnected = () => one.connected;
  foldAdvanced(one);
  const written = [];
  const context = { fillText: (text, x, y) => written.push([text, y > box.y]) };
  expect(box.computeSize()[1]).toBe(20);
  one.onDrawForeground(context);
  expect(written).toEqual([["points", true]]);
  one.connected = false;
  one.onDrawForeground(context);
  expect(written.length).toBe(1);
  expect(box.computeSize()[1] + 4).toBe(0);
  one.showAdvanced = true;
  expect(box.computeSize()[1]).toBeGreaterThan(20);
});

it("finds what a node leads to, each once, itself among them", () => {
  const end = { comfyClass: "SFE_Synthesize", id: 3, outputs: [] };
  const paste = { comfyClass: "SFE_PasteBack", id: 4, outputs: [{}], getOutputNodes: () => null };
  const middle = { comfyClass: "SFE_ComputeDelta", id: 2, outputs: [{}, {}], getOutputNodes: (slot) => [[end, paste], [end]][slot] };
  const start = { comfyClass: "SFE_ApplyDirection", id: 1, outputs: [{}], getOutputNodes: () => [middle, start] };
  const shown = new Set(["SFE_Synthesize", "SFE_PasteBack"]);
  expect(below(start, shown).map((n) => n.id)).toEqual([3, 4]);
  expect(below(end, shown)).toEqual([end]);
});

it("knows muted and bypassed nodes from others", () => {
  expect([0, 2, 4].map((mode) => isActive({ mode }))).toEqual([true, false, false]);
});
