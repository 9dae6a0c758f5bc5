"""People of points alone."""

import torch

UPRIGHT = torch.tensor([[40.0, 50.0], [60.0, 50.0], [50.0, 60.0], [42.0, 72.0], [58.0, 72.0]])


def face(x, y, scale):
    """Five landmarks of an upright face about (x, y) whose aligned crop has a side of about 80 `scale` px."""
    return (UPRIGHT - torch.tensor([50.0, 55.0])) * scale + torch.tensor([float(x), float(y)])
