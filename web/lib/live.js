/** Pictures while a slider is still in the hand: what it changes runs as soon as it rests, one run at a time. */

/** So long a slider has to stand still. */
export const REST_MS = 60;

/**
 * @param {object} calls
 * @param {() => boolean} calls.wanted Whether the graph runs by itself when it changes.
 * @param {() => boolean} calls.busy Whether something is running or waiting to run.
 * @param {(node: object) => void} calls.run Run what shows a node's effect.
 * @param {(call: () => void, ms: number) => number} [later] setTimeout
 * @returns {{moved: (node: object) => void, released: () => void, idle: () => void}} moved: with every step of the
 *   slider; released: from here on the front end runs the graph by itself; idle: when the last run has ended
 */
export function makeLive({ wanted, busy, run }, later = setTimeout) {
  let timer = 0;
  let waiting = null;
  function rested(node) {
    waiting = busy() ? node : null;
    if (!waiting && wanted()) run(node);
  }
  return {
    moved(node) {
      clearTimeout(timer);
      waiting = null;
      timer = later(() => rested(node), REST_MS);
    },
    released() {
      clearTimeout(timer);
      waiting = null;
    },
    idle() {
      if (waiting) rested(waiting);
    },
  };
}

/** Show what the server says of a node that is still at work: a smaller picture, before the whole one. */
export function whileBusy(api, node, show) {
  const early = ({ detail }) => {
    if (String(detail.node) === String(node.id)) show(detail);
  };
  api.addEventListener("sfe.early", early);
  const { onRemoved } = node;
  node.onRemoved = function (...args) {
    api.removeEventListener("sfe.early", early);
    return onRemoved?.apply(this, args);
  };
}
