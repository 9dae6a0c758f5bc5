"""What a person chooses by name: the menus of the nodes and the options of the command line show the same words.

Nothing is imported here, so that help is there at once; what the words do stands where they are read.
"""

# The names of torch's dtypes that a model can be cast to, and of the devices that it can be on.
DTYPE_NAMES = ("float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")

# What finds a face (the first is the default), how faces are counted, and what to do with a photo that has none.
YUNET, DLIB = "yunet", "dlib"
DETECTORS = (YUNET, DLIB)
ORDERS = ("largest first", "left to right", "as given", "right to left", "top to bottom", "nearest to the middle")
ERROR, PASS = "error", "pass the photo through"
NO_FACE = (ERROR, PASS)

# Parts of an aligned crop: `face oval` reaches to where the hair usually begins, `face without hair` only to the
# brows, `head` around the hair.
OVAL, NO_HAIR, HEAD = "face oval", "face without hair", "head"
MOUTH, EYES, NOSE, BACKGROUND = "mouth", "eyes", "nose", "hair and background"
REGIONS = (OVAL, NO_HAIR, HEAD, MOUTH, EYES, NOSE, BACKGROUND)

# What of a crop goes back into its photo, and how its edge is hidden.
SQUARE = "square"
PASTE_REGIONS = (HEAD, OVAL, NO_HAIR, SQUARE)
FEATHERED, POISSON = "feathered", "poisson"
BLENDS = (FEATHERED, POISSON)
SOFT_EDGE = 0.1  # its width, share of the crop's side

# What a mask keeps an edit to: the picture itself (everything else stays as it is), or, as in the paper, delta alone
# (colours and light still change everywhere).
PICTURE, DELTA = "picture", "delta"
MASK_ACTS_ON = (PICTURE, DELTA)

# How a boundary between scored samples is found.
BOUNDARY_METHODS = ("logistic", "svm")
# How a direction is found from scores: by a boundary, or by regression.
REGRESSION = "regression"
SCORE_METHODS = (*BOUNDARY_METHODS, REGRESSION)

# How rendered portraits are drawn: as training sees them, in colours that it never saw, or in lines alone.
PLAIN, PALETTE, LINES = "plain", "palette", "lines"
LOOKS = (PLAIN, PALETTE, LINES)

# How far an inversion by optimisation goes, and how a generator is tuned to one picture.
SPACES = ("w", "w+", "f")
TUNING_METHODS = ("pti", "gani")
# Where it is tuned: at e4e's code (found in W+ for a generator alone), or at one found by optimisation in W or W+.
PIVOTS = ("e4e", "w", "w+")
# Rows of `evaluate --methods` that are found for one picture at a time.
ONE_PICTURE_METHODS = ("w_plus", "s", "optimise", "sfe_refine", "sfe_layers", *TUNING_METHODS)
# Rows of other encoders, whose files lie in --weights.
RIVAL_METHODS = ("psp", "restyle", "restyle_e4e")

# Of text directions: the CLIP of StyleCLIP, and what its released recipe takes unless something else is asked for.
VIT_B_32 = "openai/clip-vit-base-patch32"
TEXT_THRESHOLD = 0.15
# DeltaEdit's own default.
DELTAEDIT_THRESHOLD = 0.03
PUBLISHED_PICTURES = 100
