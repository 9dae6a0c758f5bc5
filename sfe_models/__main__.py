"""`python -m sfe_models`."""

import sys

try:
    from .cli import main

    code = main()
except KeyboardInterrupt:  # also while modules are imported
    sys.stderr.write("interrupted\n")
    code = 130
sys.exit(code)
