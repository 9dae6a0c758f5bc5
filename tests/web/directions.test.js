import { describe, expect, it } from "vitest";
import { fitting, groups, key, look, meant, offerOf, shownFamily, toggled } from "../../web/lib/directions.js";

const make = (name, family, subject, model = "") => ({ name, family, subject, model, range: [-1, 1], effect: "", source: "" });
const OFFER = {
  subjects: { demo: "rendered portraits", "cars.safetensors": "cars" },
  directions: [
    make("smile", "interfacegan", "human faces"),
    make("grass", "ganspace", "cars"),
    make("smile", "own", "rendered portraits", "demo"),
    make("age", "own", "rendered portraits", "demo"),
    make("mine", "own", "rendered portraits", "other.safetensors"),
  ],
};
const names = (directions) => directions.map((d) => `${d.family}/${d.name}`);

describe("what fits a model", () => {
  it("is of its subject, and of no other model", () => {
    expect(names(fitting(OFFER, "demo"))).toEqual(["own/smile", "own/age"]);
    expect(names(fitting(OFFER, "cars.safetensors"))).toEqual(["ganspace/grass"]);
  });
  it("is the model's own first, in the place of what was published under its names", () => {
    const offer = {
      subjects: { photo: "human faces" },
      directions: [
        make("afro", "styleclip", "human faces"),
        make("smile", "interfacegan", "human faces"),
        { ...make("fs_smiling", "stylespace", "human faces"), except: ["photo"] },
        make("smile", "regression", "human faces", "photo"),
      ],
    };
    expect(names(fitting(offer, "photo"))).toEqual(["regression/smile", "styleclip/afro"]);
    expect(look(offer, "photo", "fs_smiling").state).toBe("other");
  });
  it("is that of the model which a choice stands for now", () => {
    const offer = { ...OFFER, stands_for: { auto: "demo" } };
    expect(meant(offer, "auto")).toBe("demo");
    expect(meant(offer, "cars.safetensors")).toBe("cars.safetensors");
    expect(fitting(offer, "auto")).toEqual(fitting(OFFER, "demo"));
  });
  it("is everything for a model that nothing is known of", () => {
    expect(fitting(OFFER, null)).toHaveLength(5);
    expect(fitting(OFFER, "folder/")).toHaveLength(5);
  });
  it("is looked up with the range of that model, not of another of the same name", () => {
    expect(look(OFFER, "demo", "smile")).toEqual({ state: "fits", direction: OFFER.directions[2] });
    expect(look(OFFER, null, "smile").direction).toBe(OFFER.directions[0]);
  });
  it("marks what is for other models, and what is gone", () => {
    expect(look(OFFER, "cars.safetensors", "age")).toEqual({ state: "other", direction: OFFER.directions[3] });
    expect(look(OFFER, "demo", "wings")).toEqual({ state: "gone", direction: null });
  });
});

it("is shown as a model's own or as of one's own files, where nobody published it", () => {
  expect(OFFER.directions.map(shownFamily)).toEqual(["interfacegan", "ganspace", "ofModel", "ofModel", "ofModel"]);
  expect(shownFamily(make("mine", "own", null))).toBe("ofFiles");
});

describe("favourites", () => {
  it("come and go, sorted", () => {
    const one = toggled([], OFFER.directions[2]);
    const two = toggled(one, OFFER.directions[1]);
    expect(two).toEqual(["ganspace/grass", "own/smile"]);
    expect(toggled(two, OFFER.directions[2])).toEqual(["ganspace/grass"]);
    expect(one).toEqual([key(OFFER.directions[2])]);
  });
  it("stand before everything, by family", () => {
    expect(groups(OFFER.directions, ["own/age", "ganspace/grass"])).toEqual([
      { family: "ganspace", favourite: true, names: ["grass"] },
      { family: "ofModel", favourite: true, names: ["age"] },
      { family: "interfacegan", favourite: false, names: ["smile"] },
      { family: "ganspace", favourite: false, names: ["grass"] },
      { family: "ofModel", favourite: false, names: ["smile", "age", "mine"] },
    ]);
  });
});

it("is read from a node's definition, and empty where that has none", () => {
  const definition = { input: { required: { direction: ["COMBO", { sfe_directions: OFFER }] } } };
  expect(offerOf(definition)).toBe(OFFER);
  for (const other of [undefined, {}, { input: { required: {} } }, { input: { required: { direction: [["a"]] } } }]) {
    expect(offerOf(other)).toEqual({ subjects: {}, directions: [] });
  }
});
