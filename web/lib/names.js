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
    yaw: "转头", "car color": "车身颜色", color: "颜色", cube: "方正车型", face_width: "脸宽", front: "车头", grass: "草地",
    grass_ss: "草地", grill: "进气格栅", hair_light: "发色深浅", headlights: "车灯", hubcap: "轮毂盖", logo: "车标",
    pose_1: "姿态 1", pose_2: "姿态 2", sky: "天空", trees: "树木", "wheel angle": "车轮角度",
  },
};

const EFFECTS = {
  zh: {
    "a broader smile, below 0 serious; turns a face that looks aside a little to the front": "笑得更开，负数变严肃；侧脸会稍转向正面",
    "a wider face, below 0 a narrower and longer one; lips become a little paler": "脸更宽，负数更窄更长；嘴唇稍变淡",
    "adds glasses, on some faces dark ones, below 0 takes them off; eyes become a little narrower":
      "戴上眼镜（有些脸上是墨镜），负数摘下；眼睛稍变窄",
    "hair on the forehead, below 0 none": "额前有刘海，负数没有",
    "light from the right of the picture, below 0 from the left": "光来自画面右侧，负数来自左侧",
    "lighter hair, below 0 darker; skin becomes a little brighter, the mouth closes a little":
      "头发更浅，负数更深；皮肤稍亮，嘴稍闭",
    "longer hair, below 0 shorter": "头发更长，负数更短",
    "more masculine, below 0 more feminine; the hair becomes shorter or longer with it": "更男性化，负数更女性化；头发随之变短或变长",
    "older; grey hair comes with it": "更老；头发随之变灰",
    "opens the eyes wider, below 0 narrows them; a smile becomes a little weaker": "眼睛睁得更大，负数变窄；微笑稍弱",
    "opens the mouth, below 0 closes it": "张嘴，负数闭嘴",
    "redder lips, below 0 paler ones; colours of the rest move a little": "嘴唇更红，负数更淡；其余颜色稍有变化",
    "the face looks down, below 0 up": "低头，负数抬头",
    "turns the face to the right of the picture, below 0 to the left": "脸转向画面右侧，负数转向左侧",
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
