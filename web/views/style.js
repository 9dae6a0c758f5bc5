/**
 * The look of the pack's widgets, in the colours of the theme.
 *
 * Nodes 2.0 (`lg-`) shares a node's height out among all elements; front end 1.35 gives them none, and draws a text box
 * that something is connected to at its full height.
 */

const SHEET = `
.sfe { box-sizing: border-box; width: 100%; color: var(--input-text, #ddd); font: 12px sans-serif; }
.sfe-picker { display: flex; flex-direction: column; gap: 4px; padding: 2px 4px; }
.sfe-row { display: flex; align-items: center; gap: 6px; }
.sfe select, .sfe button { background: var(--comfy-input-bg, #222); color: inherit; font: inherit;
  border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; padding: 2px 6px; min-width: 0; }
.sfe select { flex: 1; }
.sfe button { cursor: pointer; }
.sfe input[type=range] { flex: 1; min-width: 0; margin: 0; accent-color: var(--p-primary-color, #6aa5ff); }
.sfe input[type=number] { width: 56px; background: var(--comfy-input-bg, #222); color: inherit; font: inherit;
  border: 1px solid var(--border-color, #4e4e4e); border-radius: 4px; padding: 2px 4px; }
.sfe-picker > * { flex: none; }
.sfe-effect { font-size: 11px; line-height: 1.3; max-height: 3.9em; overflow: hidden; }
.sfe-small { color: var(--descrip-text, #999); font-size: 11px; line-height: 1.3; max-height: 2.6em; overflow: hidden; }
.sfe-mark { color: var(--error-text, #ff6b6b); line-height: 1.3; }
.sfe [hidden] { display: none; }
.sfe-compare { position: relative; height: 100%; overflow: hidden; cursor: ew-resize; touch-action: none; }
.lg-node-widgets .sfe-compare { min-height: 260px; }
.lg-node-widgets > * > .col-span-2 > .sfe-compare { min-height: 0; aspect-ratio: var(--sfe-ratio, 1); }
.lg-node-widgets:has(> * > * > .sfe-picker) { align-content: start; }
.lg-node-widgets:has(.sfe-picker) > .lg-node-widget:has(> .opacity-100) textarea { height: 24px; min-height: 0; resize: none; }
.sfe-compare img, .sfe-pictures { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; user-select: none; }
.sfe-pictures { isolation: isolate; }
.sfe-difference .sfe-pictures { background: #000; filter: brightness(2); }
.sfe-difference .sfe-before { clip-path: none !important; mix-blend-mode: difference; }
.sfe-difference .sfe-line, .sfe-difference .sfe-label { display: none; }
.sfe-difference .sfe-differ { outline: 2px solid var(--p-primary-color, #6aa5ff); }
.sfe-line { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -1px; background: #fff; opacity: .85;
  pointer-events: none; }
.sfe-label { position: absolute; top: 4px; padding: 1px 6px; border-radius: 4px; background: #0009; color: #fff;
  font-size: 11px; pointer-events: none; }
.sfe-count, .sfe-differ { position: absolute; bottom: 4px; right: 4px; opacity: .8; }
.sfe-differ { right: auto; left: 4px; }
`;

/** Put the style into the document, once. */
export function addStyle() {
  const id = "sfe-style";
  if (document.getElementById(id)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = SHEET;
  document.head.append(style);
}

/**
 * Make an element.
 * @param {string} tag
 * @param {string} name Its class.
 * @param {object} [properties]
 * @param {...(Node | string)} children
 */
export function make(tag, name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), { className: name, ...properties });
  element.append(...children);
  return element;
}
