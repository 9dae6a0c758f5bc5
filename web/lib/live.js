/** Pictures while a slider is still in the hand: what it changes runs as soon as it rests, one run at a time. */

/** So long a slider has to stand still. */
export const REST_MS = 40;

/**
 * @param {object} calls
 * @param {() => boolean} calls.wanted Whether the graph runs by itself when it changes.
 * @param {() => boolean} calls.busy Whether something is running or waiting to run.
 * @param {(node: object) => Promise<string | undefined>} calls.run Run what shows a node's effect; the run's name.
 * @param {(name: string) => void} calls.stop End a run.
 * @param {(call: () => void, ms: number) => number} [later] setTimeout
 * @returns {{moved: (node: object) => void, released: () => void, early: () => void, idle: () => void}} moved: with every
 *   step of the slider; released: from here on the front end runs the graph by itself; early: when a run has shown what
 *   it will come to; idle: when the last run has ended
 */
export function makeLive({ wanted, busy, run, stop }, later = setTimeout) {
  let timer = 0;
  let waiting = null;
  /** The run of this slider that is on its way, and whether it has been seen. */
  let own = null;
  let seen = false;
  async function rested(node) {
    waiting = busy() ? node : null;
    if (waiting) return give();
    if (!wanted()) return;
    seen = false;
    own = await run(node);
  }
  /** A run that was seen gives way to what waits; one that was not goes on, or a moving slider would show nothing. */
  function give() {
    if (waiting === null || !seen || !own) return;
    stop(own);
    own = null;
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
    early() {
      seen = true;
      give();
    },
    idle() {
      own = null;
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
