/** Directions and what they do, in other languages than English: what is not listed stays as it is. */

const NAMES = {
  zh: {
    afro: "爆炸头", age: "年龄", angry: "愤怒", bangs: "刘海", beard: "胡须", "black hair": "黑发", "blond hair": "金发",
    bobcut: "波波头", bowlcut: "锅盖头", brows: "眉毛", curly_hair: "卷发", displeased: "不悦", earrings: "耳环",
    eye_openness: "睁眼程度", eyebrow_thickness: "眉毛粗细", eyes_open: "睁眼", face_roundness: "脸型圆度", fringe: "刘海",
    fs_glasses: "眼镜", fs_makeup: "妆容", fs_smiling: "微笑", gender: "性别", glasses: "眼镜", goatee: "山羊胡",
    "grey hair": "灰发", hair_colour: "发色", hair_length: "发长", head_angle_up: "抬头", light: "光线", lipstick: "口红",
    makeup: "妆容", mohawk: "莫霍克头", mouth_open: "张嘴", nose_length: "鼻长", pitch: "俯仰", purple_hair: "紫发",
    "receding hairline": "发际线", rotation: "转头", roundness: "脸型圆度", sideburns: "鬓角", skin: "肤色", smile: "微笑",
    smiling: "微笑", sslipstick: "口红", surprised: "惊讶", trimmed_beard: "短须", "wavy hair": "波浪发", "wear suit": "西装",
    yaw: "转头",
  },
};

const EFFECTS = {
  zh: {
    "adds a smile": "增加微笑",
    "adds a smile; may disturb the hair": "增加微笑；可能影响头发",
    "adds earrings; poor on men": "增加耳环；对男性效果差",
    "adds glasses; may open the mouth": "增加眼镜；可能张嘴",
    "adds lipstick; poor on men": "增加口红；对男性效果差",
    "adds make-up; poor on men": "增加妆容；对男性效果差",
    "afro hair": "爆炸头",
    "angrier; background artefacts": "更愤怒；背景有瑕疵",
    "black, brown .. blond hair": "黑、棕 .. 金发",
    "bob cut; background artefacts": "波波头；背景有瑕疵",
    "bowl cut; background artefacts": "锅盖头；背景有瑕疵",
    "closed .. wide open eyes": "闭眼 .. 睁大眼",
    "closed .. wide open mouth": "闭嘴 .. 张大嘴",
    "closes the eyes": "闭眼",
    "coloured hair; negative greys it": "彩色头发；负数变灰",
    curls: "卷发",
    "darker hair": "头发更深",
    "darker hair (positive darkens)": "头发更深（正数变深）",
    "free forehead .. fringe down to the brows": "露额 .. 刘海及眉",
    "frown .. broad smile": "皱眉 .. 大笑",
    "head turned to the picture's left (-30 degrees) .. right (+30)": "头转向画面左侧（-30 度）.. 右侧（+30）",
    "key light from the picture's left .. right": "主光来自画面左侧 .. 右侧",
    "looks down (-15 degrees) .. up (+15)": "低头（-15 度）.. 抬头（+15）",
    mohawk: "莫霍克头",
    "mohawk; background artefacts": "莫霍克头；背景有瑕疵",
    "more feminine": "更女性化",
    "more hair length": "头发更长",
    "narrow .. round face": "窄脸 .. 圆脸",
    "no glasses .. glasses": "无眼镜 .. 眼镜",
    "none .. lipstick, eye shadow, lashes and blush": "无 .. 口红、眼影、睫毛和腮红",
    older: "更老",
    "purple hair": "紫发",
    "removes baldness": "去除秃顶",
    "removes glasses": "去除眼镜",
    "removes sideburns; poor on women": "去除鬓角；对女性效果差",
    "removes the beard; poor on women": "去除胡须；对女性效果差",
    "removes the goatee; poor on women": "去除山羊胡；对女性效果差",
    "removes the smile": "去除微笑",
    "rounder face": "脸更圆",
    sadder: "更悲伤",
    "shaven .. full beard": "无须 .. 浓须",
    "short crop .. long below the shoulders": "短发 .. 过肩长发",
    "shorter nose; may open the mouth": "鼻子更短；可能张嘴",
    surprised: "惊讶",
    "thin .. thick eyebrows": "细眉 .. 粗眉",
    "thinner eyebrows": "眉毛更细",
    "turns the face right": "脸转向右",
    "light .. dark skin": "浅肤色 .. 深肤色",
    "young .. old: wrinkles, folds, grey hair": "年轻 .. 年老：皱纹、褶皱、灰发",
  },
};

const of = (table, language) => table[String(language ?? "").split("-")[0]] ?? {};

/** What a menu shows for a direction's name; the name itself is what the file and the prompt hold. */
export function called(language, name) {
  const known = of(NAMES, language)[name];
  return known ? `${known} (${name})` : name;
}

/** What a positive strength does. */
export function effectIn(language, effect) {
  return of(EFFECTS, language)[effect] ?? effect;
}
