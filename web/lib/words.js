/** What the pack's own widgets say, by language. Everything else is in `locales/`. */

export const WORDS = {
  en: {
    favourites: "Favourites",
    favourite: "Keep among the favourites",
    notFavourite: "Take from the favourites",
    ofModel: "of this model",
    ofFiles: "your own files",
    useful: "useful {low} to {high}",
    unknown: "useful strengths are not known: try small ones first",
    outside: "{value} is beyond {low} to {high}: expect artefacts",
    strength: "Strength; double-click for 0",
    number: "Strength, as exactly as you like",
    whole: "Sweep from {low} to {high}",
    gone: "“{name}” is not there any more. It stays chosen until you choose another.",
    other: "“{name}” is not a direction of {model} (it is for {subject}). It stays chosen until you choose another.",
    custom: "The connected direction is used; its node says which strengths are useful.",
    before: "before",
    after: "after",
    slide: "Drag to compare",
    difference: "difference",
    upload: "choose a photo",
    differ: "Show where both differ, twice as bright",
  },
  zh: {
    favourites: "收藏",
    favourite: "加入收藏",
    notFavourite: "移出收藏",
    ofModel: "此模型自带",
    ofFiles: "您自己的文件",
    useful: "有用范围 {low} 到 {high}",
    unknown: "有用的强度未知：请先试小的",
    outside: "{value} 超出 {low} 到 {high}：可能出现瑕疵",
    strength: "强度；双击归 0",
    number: "强度，可精确输入",
    whole: "从 {low} 扫到 {high}",
    gone: "“{name}”已不存在。在您另选之前保持不变。",
    other: "“{name}”不是 {model} 的方向（它用于 {subject}）。在您另选之前保持不变。",
    custom: "使用所连接的方向；其节点说明哪些强度有用。",
    before: "之前",
    after: "之后",
    slide: "拖动以比较",
    difference: "差异",
    upload: "选择照片",
    differ: "显示两者的差异，亮度加倍",
  },
};

/**
 * A sentence in a language, English where it is not known.
 * @param {string} language Such as "zh" or "zh-TW".
 * @param {string} key
 * @param {Record<string, string>} [values]
 */
export function say(language, key, values = {}) {
  const table = WORDS[String(language ?? "").split("-")[0]] ?? WORDS.en;
  return table[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
