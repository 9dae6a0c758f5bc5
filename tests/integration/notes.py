"""What the note of each example workflow says, in English and Chinese."""

from __future__ import annotations


def _note(title: str, title_zh: str, about: tuple[str, str], *steps: tuple[str, str]) -> str:
    """What a workflow shows, and what to do."""
    # Headings, because the front end's plain text is too small to be read at the zoom that a board opens with.
    lines = [f"# {title} · {title_zh}", *(f"### {text}" for text in about)]
    for number, (text, text_zh) in enumerate(steps, 1):
        lines += [f"### {number}. {text}", f"### {text_zh}"]
    lines += [
        "### *auto*: *photo* if it is installed, else *demo*, of drawn people.",
        "### *auto*：装了 *photo* 就用它，否则用 *demo*。",
    ]
    return "\n".join(lines)


_RUN = ("Press **Run**.", "点击**运行**。")

# By the name of the function in `examples.py`.
NOTES = {
    "one_edit": _note(
        "One edit",
        "一次编辑",
        ("A face, one change, before and after.", "一张脸，一处变化，前后对比。"),
        _RUN,
        (
            "Move the slider of *Apply Direction* and run again; *Run (On Change)* follows it.",
            "拖动“应用方向”的滑块再运行；“运行（更改时）”会实时跟随。",
        ),
        (
            "Drag the line on *Synthesize*. For a photo of your own open board 02 or 03.",
            "拖动“合成图像”上的分界线。自己的照片请用 02 或 03。",
        ),
    ),
    "three_edits": _note(
        "Three edits in a row",
        "连续三次编辑",
        ("Each *Apply Direction* goes on from the one before.", "每个“应用方向”接着上一个继续。"),
        _RUN,
        (
            "Change any of the three sliders: what comes before it is not computed again.",
            "拖动任一滑块：它之前的不会重算。",
        ),
    ),
    "masked_edit": _note(
        "An edit of one place",
        "只改一处",
        (
            "Older, but only around the face: where the mask protects, no pixel changes.",
            "变老，但只在脸的周围：蒙版保护的地方一个像素都不变。",
        ),
        (
            "Press **Run**. *Mask Δ* shows in dark grey what is protected.",
            "点击**运行**。“Δ 蒙版”用深灰显示受保护处。",
        ),
        (
            "Connect any MASK, such as one that you draw; *invert* swaps black and white.",
            "可接任意蒙版，也可自己画；“反转”交换黑白。",
        ),
    ),
    "two_regions": _note(
        "Two edits in two places",
        "两处各改一样",
        (
            "Grey hair around the face, a smile in it: each edit keeps to its own place.",
            "脸外变灰发，脸上微笑：每个编辑只在自己的位置。",
        ),
        _RUN,
        (
            "The same mask goes to both *Mask Δ*; the first has *invert* on.",
            "同一蒙版接到两个“Δ 蒙版”；第一个打开“反转”。",
        ),
    ),
    "strength_sweep": _note(
        "A strength sweep",
        "强度序列",
        ("Younger to older, for two people.", "从年轻到年老，两个人。"),
        _RUN,
        (
            "Choose another direction; the button on *Strength Sweep* takes its useful strengths.",
            "换一个方向；“强度序列”上的按钮取其有用范围。",
        ),
    ),
    "all_in_one": _note(
        "All in one node",
        "一个节点完成",
        ("A photo in, the edited photo out.", "照片进，编辑后的照片出。"),
        (
            "Press **Run**: until you choose a photo, two people are drawn.",
            "点击**运行**：未选照片前会画出两个人。",
        ),
        (
            "Your photo: the button on *Load Photo*, then **Run**.",
            "自己的照片：用“加载照片”上的按钮选择，再**运行**。",
        ),
    ),
    "photo": _note(
        "A photo, step by step",
        "照片，一步一步",
        (
            "A face is cut out of a photo, edited and put back; all else stays as it was.",
            "从照片中取出脸，编辑后贴回；其余不变。",
        ),
        (
            "Press **Run**: until you choose a photo, two people are drawn.",
            "点击**运行**：未选照片前会画出两个人。",
        ),
        (
            "Your photo: the button on *Load Photo*, then **Run**.",
            "自己的照片：用“加载照片”上的按钮选择，再**运行**。",
        ),
    ),
    "batch": _note(
        "Many people at once",
        "批量处理",
        ("Six people, a strength for each.", "六个人，每人一个强度。"),
        (
            "Press **Run**. The strengths stand in *strengths* of *Apply Direction*, an advanced input.",
            "点击**运行**。强度写在“应用方向”的高级输入“多个强度”中。",
        ),
        (
            "The inversions are kept in one file; *Load Inversion* goes on from there.",
            "反演存入一个文件；“加载反演”可由此继续。",
        ),
        (
            "For a folder put a node that loads a batch in the place of *Demo Portrait*.",
            "处理文件夹：用批量加载节点替换“示例肖像”。",
        ),
    ),
    "found_directions": _note(
        "Directions of your own",
        "自己找方向",
        (
            "Ways to a new direction; two are applied one after the other, through *custom direction*.",
            "得到新方向的方法；其中两个经“自定义方向”先后应用。",
        ),
        ("*Discover Directions*: what the generator itself varies most.", "“发现方向”：生成器自身变化最大的方向。"),
        ("*Direction from Images*: the way from one picture to another.", "“由图片得到方向”：从一张图到另一张图。"),
        (
            "*Text Direction*, muted: from words. It needs CLIP and a relevance file, see its help.",
            "“由文字得到方向”（已静音）：来自文字，需要 CLIP 和相关性文件，见其帮助。",
        ),
    ),
    "hard_photo": _note(
        "My photo is hard",
        "难处理的照片",
        (
            "A hat or a hand that the encoders never saw: the generator is changed for this one picture.",
            "编码器没见过的帽子或手：为这一张图调整生成器。",
        ),
        ("First try *encoder + refine* of *Invert*: seconds.", "先试“反演”的 encoder + refine：几秒。"),
        (
            "If that is not enough, **Run**. 20 steps are for trying; 0 takes the usual number. At 1024 px a step "
            "takes seconds without a GPU.",
            "若不够，**运行**。20 步只为试用；0 取通常步数。1024 像素时无 GPU 每步要几秒。",
        ),
    ),
    "own_generator": _note(
        "My own generator",
        "自己的生成器",
        (
            "No encoders are needed: *Invert* finds a picture by optimisation, *Discover Directions* what varies.",
            "不需要编码器：“反演”靠优化，“发现方向”找出变化。",
        ),
        (
            "Put a StyleGAN2 .pkl or .pt alone into a folder in models/sfe.",
            "把一个 StyleGAN2 的 .pkl 或 .pt 单独放进 models/sfe 的子文件夹。",
        ),
        (
            "Choose that folder in *Load SFE*; here *auto* stands for it.",
            "在“加载 SFE”中选该文件夹；此处由 *auto* 代替。",
        ),
    ),
    "film": _note(
        "A film",
        "影片",
        ("A clip in, the edited clip out, calm and with its sound.", "片段进，编辑后的片段出：稳定，保留声音。"),
        (
            "Choose a clip of some seconds on *Load Video*, then **Run**.",
            "在“加载视频”上选择几秒的片段，再**运行**。",
        ),
        (
            "*smoothing* calms the crop, and on *Invert* the codes.",
            "“平滑”稳定裁剪；在“反演”上稳定编码。",
        ),
        ("Long films: `python -m sfe_models film`.", "长影片：`python -m sfe_models film`。"),
    ),
}
