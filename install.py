"""Fetch the photographic model once; ComfyUI-Manager runs this after it has installed the pack.

Nothing here may stop an installation: whatever goes wrong is one sentence, and the pack works with its other models.
The options are those of `python -m sfe_models download photo`.
"""

import os
import sys


def install(arguments):
    """Fetch the model, or say in one sentence why not."""
    if sys.version_info < (3, 10):
        print("StyleFeatureEditor needs Python 3.10 or newer; this is {}.{}.".format(*sys.version_info[:2]))
        return
    # A portable Python does not look beside the script that it runs.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    print("StyleFeatureEditor: fetching the model 'photo' (38 MB, once). Without it the pack works with other models.")
    try:
        from sfe_models.cli import main

        code = main(["download", "photo", *arguments])
    except BaseException as error:  # an interrupted or broken download must not stop the installation either
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        code = 1
    if code:
        again = f'"{sys.executable}" "{os.path.abspath(__file__)}"'
        print(f"StyleFeatureEditor: the model 'photo' was not fetched; run {again} to try again.")


if __name__ == "__main__":
    install(sys.argv[1:])
