/**
 * What the direction menu knows besides names: families, effects, useful strengths, and what fits which model.
 *
 * @typedef {object} Direction
 * @property {string} name
 * @property {string} family
 * @property {string | null} subject What it was made for, where that is known.
 * @property {[number, number] | null} range Useful strengths.
 * @property {string} effect What a positive strength does.
 * @property {string} source Where it comes from.
 * @property {string} model The only model that has it, or "" for all of its subject.
 * @property {string[]} [except] Models of its subject that cannot take it.
 *
 * @typedef {object} Offer
 * @property {Record<string, string>} [stands_for] The models that choices without one of their own mean now.
 * @property {Record<string, string | null>} subjects What each model shows, null where it does not say.
 * @property {Direction[]} directions
 */

/** The strengths that a slider offers where nobody measured them. */
export const UNKNOWN_RANGE = [-10, 10];

/**
 * Read the offer from the definition of a node.
 * @param {object} [definition] As /object_info gives it.
 * @returns {Offer}
 */
export function offerOf(definition) {
  const options = definition?.input?.required?.direction?.[1];
  return options?.sfe_directions ?? { subjects: {}, directions: [] };
}

/** The model that a choice of Load SFE means. @param {Offer} offer @param {string | null} choice */
export function meant(offer, choice) {
  return offer.stands_for?.[choice] ?? choice;
}

/**
 * The directions that a model can be edited along, its own before those of its subject; all of them for an unknown model.
 * @param {Offer} offer
 * @param {string | null} choice Of Load SFE.
 */
export function fitting(offer, choice) {
  const model = meant(offer, choice);
  const subject = model === null ? undefined : offer.subjects[model];
  if (subject === undefined) return offer.directions;
  const own = offer.directions.filter((d) => d.model === model);
  const names = new Set(own.map((d) => d.name));
  const others = offer.directions.filter((d) => {
    const suits = d.subject === null || d.subject === subject;
    return suits && !d.model && !names.has(d.name) && !d.except?.includes(model);
  });
  return [...own, ...others];
}

/**
 * Find the direction of a name, and say whether the model has it.
 * @returns {{state: "fits" | "other" | "gone", direction: Direction | null}} other: there is one, but for other models.
 */
export function look(offer, model, name) {
  const own = fitting(offer, model).find((d) => d.name === name);
  if (own) return { state: "fits", direction: own };
  const other = offer.directions.find((d) => d.name === name);
  return other ? { state: "other", direction: other } : { state: "gone", direction: null };
}

/** What a favourite is remembered by. */
export function key(direction) {
  return `${direction.family}/${direction.name}`;
}

/** Add a favourite, or take it away. @param {string[]} favourites */
export function toggled(favourites, direction) {
  const wanted = key(direction);
  return favourites.includes(wanted) ? favourites.filter((k) => k !== wanted) : [...favourites, wanted].sort();
}

/** The family under which a menu shows a direction: of a model, of own files, or as it was published. */
export function shownFamily(direction) {
  if (direction.model) return "ofModel";
  return direction.family === "own" ? "ofFiles" : direction.family;
}

/**
 * Sort directions into the groups of a menu: favourites first, by family, then everything by family.
 * @param {Direction[]} directions
 * @param {string[]} favourites
 * @returns {{family: string, favourite: boolean, names: string[]}[]} family: see `shownFamily`
 */
export function groups(directions, favourites) {
  const found = [];
  for (const favourite of [true, false]) {
    for (const direction of directions) {
      if (favourite && !favourites.includes(key(direction))) continue;
      const family = shownFamily(direction);
      let group = found.find((g) => g.favourite === favourite && g.family === family);
      if (!group) found.push((group = { family, favourite, names: [] }));
      if (!group.names.includes(direction.name)) group.names.push(direction.name);
    }
  }
  return found;
}
