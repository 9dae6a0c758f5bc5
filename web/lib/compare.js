/**
 * Before and after: the payload of ComfyUI's own compare widget, and where the dividing line stands.
 *
 * @typedef {{filename: string, subfolder: string, type: string}} Picture
 */

/**
 * The pairs that a node's output holds; a single picture before is paired with every one after.
 * @param {{a_images?: Picture[], b_images?: Picture[]} | null | undefined} output
 * @returns {{before: Picture, after: Picture}[]}
 */
export function pairs(output) {
  const before = output?.a_images ?? [];
  const after = output?.b_images ?? [];
  if (!before.length) return [];
  return after.map((picture, i) => ({ before: before[Math.min(i, before.length - 1)], after: picture }));
}

/** The path that the server shows a picture under. @param {Picture} picture */
export function viewPath(picture) {
  const { filename, subfolder, type } = picture;
  return `/view?${new URLSearchParams({ filename, subfolder, type })}`;
}

/** Where the pointer is between the left edge (0) and the right one (1). */
export function share(x, left, width) {
  return width > 0 ? Math.min(Math.max((x - left) / width, 0), 1) : 0.5;
}

/** The part of the picture before that is seen: left of the line. */
export function clip(position) {
  return `inset(0 ${Number(((1 - position) * 100).toFixed(2))}% 0 0)`;
}
