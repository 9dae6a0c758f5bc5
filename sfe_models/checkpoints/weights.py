"""The one table of every file of others that something here reads: where it comes from and whose terms it has.

Hashes and sizes stand where somebody looked at the file; a name such as `vgg16-397923af.pth` carries the first digits
of its SHA-256. Files on Hugging Face bring their size and hash with them.
"""

from __future__ import annotations

from collections.abc import Iterable

from .measuring_weights import MEASURING
from .weight_file import WeightFile

_PUBLISHED = "pretrained_models"
_SFE = "AIRI-Institute/StyleFeatureEditor"
_SFE_CODE = "https://raw.githubusercontent.com/ControlGenAI/StyleFeatureEditor/00996c309ba5f04eec9ad7456f521e1501f7cc67"
_LPIPS_CODE = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/082bb24f84c091ea94de2867d34c4544f68e0963"
)
_KORNIA_DATA = "https://raw.githubusercontent.com/kornia/data/a95086ea9614683659b4a020c6c9943dbff9f63e"
_TORCH = "https://download.pytorch.org/models"

NVIDIA = "NVIDIA Source Code License: non-commercial use only"
NVIDIA_TERMS = f"The FFHQ generator inside is NVIDIA's StyleGAN2, under the {NVIDIA}."
_MIT_SFE = "MIT, as its authors' repository"


def _sfe(name: str, what: str, licence: str, reader: str, **more) -> WeightFile:
    return WeightFile(f"{_PUBLISHED}/{name}", what, "the SFE authors", licence, reader, hub=_SFE, **more)


# What editing with the published model needs, 2.6 GB in all.
MODEL_SIZE = "2.6 GB"
MODEL = (
    _sfe("stylegan2-ffhq-config-f.pt", "StyleGAN2 for FFHQ at 1024 px", NVIDIA, "checkpoints.recognise"),
    _sfe("e4e_ffhq_encode.pt", "e4e encoder", "its authors' (omertov/encoder4editing)", "checkpoints.recognise"),
    _sfe("sfe_editor_light.pt", "Inverter and Feature Editor", _MIT_SFE, "checkpoints.recognise"),
)
_MAPPED = (
    "afro", "angry", "beyonce", "bobcut", "bowlcut", "curly_hair", "depp", "hilary_clinton", "mohawk",
    "purple_hair", "surprised", "taylor_swift", "trump", "zuckerberg",
)  # fmt: skip
MAPPERS = tuple(
    _sfe(f"styleclip_mappers/{name}.pt", f"StyleCLIP mapper {name}", "MIT (StyleCLIP)", "directions.families.mapper")
    for name in _MAPPED
)


def _vector(what: str, reader: str, place: str, size: int | None, sha256: str | None, **more) -> WeightFile:
    source = "the SFE authors (ControlGenAI/StyleFeatureEditor, editings)"
    address = f"{_SFE_CODE}/editings/{place}"
    return WeightFile(place, what, source, _MIT_SFE, reader, address=address, size=size, sha256=sha256, **more)


_INTERFACEGAN = ("InterFaceGAN direction", "directions.families.linear")
_BOUNDARY = ("boundary of W+", "directions.families.linear")
_GANSPACE = ("GANSpace components", "directions.families.ganspace")
_GLOBAL = "styleclip/global_mapper_data"
_RELEVANCE = "directions.finding.relevance_files"
VECTORS = (
    _vector(
        *_INTERFACEGAN,
        "interfacegan_directions/age.pt",
        2808,
        "50074516b1629707d89b5e43d6b8abd1792212fa3b961a87a11323d6a5222ae0",
    ),
    _vector(
        *_INTERFACEGAN,
        "interfacegan_directions/rotation.pt",
        2808,
        "9ef9787ac6b7b37940e47fef22e78cbbe5aeae2e566c0b391bf279f3264b1d1c",
    ),
    _vector(
        *_INTERFACEGAN,
        "interfacegan_directions/smile.pt",
        2808,
        "817a7e732b59dee9eba862bec8bd7e8373568443bc9f9731a21cf9b0356f0653",
    ),
    _vector(
        *_BOUNDARY,
        "bound/Eyeglasses_boundary.npy",
        36992,
        "227c8edae45f8cf06a0578e8422ef2dc59de6fb741d55280746a63fd40d2936c",
    ),
    _vector(
        *_BOUNDARY,
        "bound/Heavy_Makeup_boundary.npy",
        36992,
        "dbd6336240825cf1a8077c5e40bde544ebd6b7c300ee76e28991e8e2d892030d",
    ),
    _vector(
        *_BOUNDARY,
        "bound/Smiling_boundary.npy",
        36992,
        "5782190b00340d58f8418885dc9ad9ab53462874d7a9a1b91241e76099c9fc22",
    ),
    _vector(
        *_GANSPACE,
        "ganspace_pca/cars_pca.pt",
        167562,
        "a5c3bae61ecd85de077fbbf103f5f30cf4b7676fe23a8508166eaf2ce73c8392",
    ),
    _vector(
        *_GANSPACE,
        "ganspace_pca/ffhq_pca.pt",
        167562,
        "4d7f9df1c96180d9026b9cb8d04753579fbf385f321a9d0e263641601c5e5d36",
    ),
)
# What StyleCLIP global directions for FFHQ 1024 need besides CLIP.
STYLECLIP_STATISTICS = _vector(
    "StyleCLIP's statistics of style space",
    _RELEVANCE,
    f"{_GLOBAL}/S_mean_std",
    75092,
    "d35879347e5df307287404d08b9166c4e304c544c07e5c0d345d346bde77656f",
)
STYLECLIP_TEMPLATES = _vector(
    "StyleCLIP's sentences for prompts",
    "directions.finding.clip_text",
    f"{_GLOBAL}/templates.txt",
    1727,
    "9cf11dc6bfc24c775bd4a500a616fde36d9f19a7c61234bdd111606bd649a0ef",
)
STYLECLIP_MATRIX = _vector(
    "StyleCLIP's relevance of channels",
    _RELEVANCE,
    f"{_GLOBAL}/delta_i_c.npy",
    None,
    None,
    blob="ef9dc0a49a4e2ffe1c81b8632baab6e3a4466726",
)
STYLECLIP_GLOBAL = (STYLECLIP_STATISTICS, STYLECLIP_TEMPLATES, STYLECLIP_MATRIX)

# Networks of the training losses and of the metrics.
ARCFACE = _sfe(
    "model_ir_se50.pth", "ArcFace's weights (IR-SE50)", "MIT (TreB1eN/InsightFace_Pytorch)", "perception.identity"
)
MOCO = _sfe(
    "moco_v2_800ep_pretrain.pt",
    "MoCo v2's weights (ResNet-50)",
    "its authors' (facebookresearch/moco)",
    "perception.identity",
    others=("moco_v2_800ep_pretrain.pth.tar",),
)


def _lpips(name: str, what: str, address: str, **more) -> WeightFile:
    source, licence = ("torchvision", "BSD-3") if address == _TORCH else ("the lpips package (weights/v0.1)", "BSD-2")
    place, reader = f"{_PUBLISHED}/{name}", "perception.lpips"
    return WeightFile(place, what, source, licence, reader, address=f"{address}/{name}", **more)


_HEADS = f"{_LPIPS_CODE}/lpips/weights/v0.1"
ALEXNET = _lpips(
    "alexnet-owt-7be5be79.pth",
    "LPIPS's backbone weights (alex)",
    _TORCH,
    sha256="7be5be79",
    others=("alexnet-owt-4df8aa71.pth",),
)
ALEX_HEADS = _lpips(
    "alex.pth",
    "LPIPS's heads (alex)",
    _HEADS,
    size=6009,
    sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    others=("lpips_alex.pth",),
)
VGG16 = _lpips("vgg16-397923af.pth", "LPIPS's backbone weights (vgg)", _TORCH, sha256="397923af")
VGG_HEADS = _lpips(
    "vgg.pth",
    "LPIPS's heads (vgg)",
    _HEADS,
    size=7289,
    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    others=("lpips_vgg.pth",),
)
INCEPTION = WeightFile(
    "pt_inception-2015-12-05-6726825d.pth",
    "FID's Inception weights",
    "pytorch-fid (mseitzer, fid_weights)",
    "Apache-2.0",
    "perception.inception",
    address="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d",
)
LOSSES = (ARCFACE, MOCO, ALEXNET, ALEX_HEADS)


def _rival(place: str, what: str, repository: str) -> WeightFile:
    licence = f"MIT ({repository}); the FFHQ generator inside: {NVIDIA}"
    page = f"https://github.com/{repository}, in its table of models for FFHQ, saved by this name"
    return WeightFile(place, what, repository, licence, "checkpoints.rivals", page=page)


# Encoders that SFE is compared with.
_RESTYLE = "yuval-alaluf/restyle-encoder"
PSP = _rival("psp_ffhq_encode.pt", "pSp's encoder and generator", "eladrich/pixel2style2pixel")
RESTYLE = _rival("restyle_psp_ffhq_encode.pt", "ReStyle's encoder over pSp and generator", _RESTYLE)
RESTYLE_E4E = _rival("restyle_e4e_ffhq_encode.pt", "ReStyle's encoder over e4e and generator", _RESTYLE)

# Finding faces and their parts.
YUNET = WeightFile(
    "yunet_final.pth",
    "YuNet, the default face detector",
    "kornia",
    "its authors' (ShiqiYu/libfacedetection)",
    "faces.find.yunet",
    hub="kornia/yunet",
    address=f"{_KORNIA_DATA}/yunet_final.pth",
    size=405729,
    sha256="ee0a3035c5cbfc9484a31332223c9fd9c0ddcdb7c46b6a19e558ed393b6f2c67",
)
SHAPE_PREDICTOR = _sfe(
    "shape_predictor_68_face_landmarks.dat",
    "dlib's 68 landmarks",
    "trained on iBUG 300-W: non-commercial use only",
    "faces.find.dlib68",
    package="face_recognition_models",
    in_package="models/shape_predictor_68_face_landmarks.dat",
)
FARL = _sfe(
    "face_parsing.farl.lapa.main_ema_136500_jit191.pt",
    "FaRL's face parser",
    "MIT (FacePerceiver/facer)",
    "faces.mask.parsing",
)
BISENET = WeightFile(
    "79999_iter.pth",
    "BiSeNet's face parser",
    "zllrunning/face-parsing.PyTorch",
    "its author's",
    "faces.mask.parsing",
    page="https://github.com/zllrunning/face-parsing.PyTorch",
)

# A small generator of faces with the W of StyleGAN2 for FFHQ, inside a Python package (see `wheel.py`).
GENERATOR_MOBILE = "generator-mobile"
MOBILE_WHEEL = WeightFile(
    "random_face-2021.7.21.1-py3-none-any.whl",
    "MobileStyleGAN for FFHQ at 1024 px",
    "random_face 2021.7.21.1 on PyPI",
    "distilled from NVIDIA's StyleGAN2 for FFHQ: non-commercial use only",
    "checkpoints.wheel",
    size=37588926,
    sha256="e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
    page="`pip download --no-deps random_face==2021.7.21.1`",
)

WEIGHTS = (
    *MODEL, *MAPPERS, *VECTORS, *STYLECLIP_GLOBAL, *LOSSES, VGG16, VGG_HEADS, INCEPTION, YUNET, SHAPE_PREDICTOR, FARL,
    BISENET, MOBILE_WHEEL, *MEASURING, PSP, RESTYLE, RESTYLE_E4E,
)  # fmt: skip


def table(files: Iterable[WeightFile] = WEIGHTS) -> str:
    """Write files as a Markdown table: name, what, size, terms, where from."""
    rows = ["| file | what | size | terms | from |", "|---|---|---|---|---|"]
    for file in files:
        size = "" if file.size is None else f"{file.size / 1e6:.1f} MB" if file.size >= 1e5 else f"{file.size} B"
        rows.append(f"| {file.place} | {file.what} | {size} | {file.licence} | {file.origin} |")
    return "\n".join(rows)
