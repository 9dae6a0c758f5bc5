import { expect, it, vi } from "vitest";
import { REST_MS, makeLive, whileBusy } from "../../web/lib/live.js";

function made({ wanted = true, busy = false } = {}) {
  vi.useFakeTimers();
  const state = { wanted, busy, runs: [], stopped: [] };
  const run = async (node) => {
    state.runs.push(node);
    state.busy = true;
    return `run ${node}`;
  };
  const live = makeLive({ wanted: () => state.wanted, busy: () => state.busy, run, stop: (name) => state.stopped.push(name) });
  const rest = (node) => {
    live.moved(node);
    return vi.advanceTimersByTimeAsync(REST_MS);
  };
  return { live, state, rest };
}

it("runs once when the slider rests, not at every step", () => {
  const { live, state } = made();
  for (const node of [1, 2, 3]) live.moved(node);
  vi.advanceTimersByTime(REST_MS - 1);
  expect(state.runs).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(state.runs).toEqual([3]);
});

it("leaves what is released to the front end, and a graph that does not run by itself alone", () => {
  const { live, state } = made();
  live.moved(1);
  live.released();
  vi.advanceTimersByTime(10 * REST_MS);
  state.wanted = false;
  live.moved(2);
  vi.advanceTimersByTime(10 * REST_MS);
  expect(state.runs).toEqual([]);
});

it("waits for what is running, and then takes the last place of the slider", () => {
  const { live, state } = made({ busy: true });
  live.moved(1);
  vi.advanceTimersByTime(REST_MS);
  live.moved(2);
  vi.advanceTimersByTime(REST_MS);
  expect(state.runs).toEqual([]);
  state.busy = false;
  live.idle();
  live.idle();
  expect(state.runs).toEqual([2]);
});

it("forgets what waits when the slider is released", () => {
  const { live, state } = made({ busy: true });
  live.moved(1);
  vi.advanceTimersByTime(REST_MS);
  live.released();
  state.busy = false;
  live.idle();
  expect(state.runs).toEqual([]);
});

it("ends a run that was seen when the slider rests elsewhere, and takes up the new place", async () => {
  const { live, state, rest } = made();
  await rest(1);
  live.early();
  expect(state.stopped).toEqual([]);
  await rest(2);
  expect(state.stopped).toEqual(["run 1"]);
  state.busy = false;
  live.idle();
  expect(state.runs).toEqual([1, 2]);
});

it("lets a run show its picture before it gives way", async () => {
  const { live, state, rest } = made();
  await rest(1);
  await rest(2);
  expect(state.stopped).toEqual([]);
  live.early();
  live.early();
  expect(state.stopped).toEqual(["run 1"]);
});

it("never ends the run that comes after the slider was let go, nor another's", async () => {
  const { live, state, rest } = made();
  await rest(1);
  live.early();
  live.moved(2);
  live.released();
  await vi.advanceTimersByTimeAsync(10 * REST_MS);
  live.idle(); // the slider's run has ended; the front end's own one goes on
  live.early();
  await rest(3);
  expect(state.stopped).toEqual([]);
});

it("shows what comes early for its own node, until that is removed", () => {
  const api = new EventTarget();
  const node = { id: 7 };
  const shown = [];
  whileBusy(api, node, (output) => shown.push(output.b_images[0]));
  const say = (id, name) => api.dispatchEvent(Object.assign(new Event("sfe.early"), { detail: { node: id, b_images: [name] } }));
  say("7", "own");
  say("8", "other");
  node.onRemoved();
  say("7", "gone");
  expect(shown).toEqual(["own"]);
});
