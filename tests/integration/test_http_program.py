"""What docs/comfyui.md shows of the HTTP API does what it says."""

import os
import re
import subprocess
import sys

from integration.server import ROOT
from PIL import Image


def test_the_program_over_http_fetches_pictures(server, tmp_path):
    (program,) = re.findall(
        r"```python\n(import json\n.*?)```", (ROOT / "docs/comfyui.md").read_text("utf-8"), re.DOTALL
    )
    program = program.replace("http://127.0.0.1:8188", f"http://127.0.0.1:{server.port}")
    (tmp_path / "workflows").symlink_to(ROOT / "workflows", target_is_directory=True)
    subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", program],
        cwd=tmp_path,
        check=True,
        timeout=300,
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
    )
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) >= 2
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.width == picture.height
