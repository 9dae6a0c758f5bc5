"""StyleFeatureEditor for ComfyUI. Everything is imported when ComfyUI asks for the nodes."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """Return the extension; ComfyUI calls this once."""
    from .nodes.extension import StyleFeatureEditor

    return StyleFeatureEditor()
