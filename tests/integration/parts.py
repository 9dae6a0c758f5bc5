"""Pieces of API-format graphs that the tests put together."""

from integration.graphs import Graph

MODEL = "trial.safetensors"


class Trial(Graph):
    """A graph that begins with a loaded model and inverted portraits."""

    def __init__(self, people=1, seed=7, model=MODEL, drawn=False):
        """drawn: by the model's own generator, at its size; else rendered."""
        super().__init__()
        (self.model,) = self.add("SFE_LoadModel", model=model, precision="float32")
        kind = {"sfe_model": self.model, "size": 0} if drawn else {"size": 128}
        self.image, self.face, self.landmarks = self.add(
            "SFE_DemoPortrait", 3, seed=seed, attributes="", people=people, details=True, **kind
        )
        self.inversion, self.reconstruction = self.add("SFE_Invert", 2, sfe_model=self.model, image=self.image)

    def apply(self, name="smile", strength=1.5, source=None, **more):
        source = source or self.inversion
        return self.add("SFE_ApplyDirection", source=source, direction=name, strength=strength, **more)[0]

    def delta(self, edit):
        return self.add("SFE_ComputeDelta", 2, edit=edit)[0]

    def finish(self, delta=None, inversion=None):
        more = {} if delta is None else {"delta": delta}
        (features,) = self.add("SFE_FeatureEdit", inversion=inversion or self.inversion, **more)
        return self.add("SFE_Synthesize", features=features)[0]

    def show(self, image):
        """Show pictures; returns the node's number."""
        self.add("PreviewImage", 0, images=image)
        return str(len(self.nodes) + len(self.muted))
