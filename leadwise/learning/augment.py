"""What a page can really show: the same heart a little earlier, taller, faster, noisier, or with a lead off.

Whole batches at once, on the device on which they are; drawn from torch's global generator, so that a resumed
training draws the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_STRETCH, _SHIFT = 0.08, 0.06  # of the length, each way: rates differ more, within a class
_GAIN, _RISE = 0.15, 0.05  # of the height
_LEAD_OFF, _STRIP_OFF = 0.25, 0.15  # more than on real pages: no answer should hang on one lead
_DRIFT_MV, _NOISE_MV, _NOISE_INK = 0.08, 0.01, 0.03
_BEAT_SHIFT = 0.5  # some 20 ms
_PEN = 0.35  # exponent of the ink's brightness, each way: a thinner or thicker pen, once shrunk


def augmented(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """The views of a batch of pages (`leadwise.data.views`), changed as pages differ; ink as 0 to 1.

    Time and amplitude are stretched alike in all views of a page, a lead or strip that is off is off in all of them.
    """
    some = next(iter(views.values()))
    n, device = len(some), some.device
    stretch, gain = (1 + _spread(n, device) * size for size in (_STRETCH, _GAIN))
    shift, rise = (_spread(n, device) * size for size in (_SHIFT, _RISE))
    on = (torch.rand(n, 12, device=device) > _LEAD_OFF).float()
    strip_on = (torch.rand(n, 1, device=device) > _STRIP_OFF).float()
    changed = {}
    for name, view in views.items():
        leads = name in ("ink", "signals", "beats")
        if name.startswith("ink"):
            ink = view.float() / 255
            picture = _moved(ink if leads else ink[:, None], stretch, shift, gain, rise)
            pen = torch.exp(_spread(n, device) * _PEN).view(-1, 1, 1, 1)
            picture = picture.clamp_min(1e-6) ** pen + _NOISE_INK * torch.randn_like(picture)
            changed[name] = picture * on[:, :, None, None] if leads else picture[:, 0] * strip_on[:, :, None]
        else:
            known = torch.nan_to_num(view if leads else view[:, None])
            zero = torch.zeros_like(rise)
            moved = _BEAT_SHIFT * shift if name == "beats" else shift  # beats are cut about their R wave
            signal = _moved(known[:, :, None], stretch, moved, torch.ones_like(gain), zero)[:, :, 0]
            signal = gain.view(-1, 1, 1) * signal + _drift(signal) + _NOISE_MV * torch.randn_like(signal)
            changed[name] = signal * on[:, :, None] if leads else signal[:, 0] * strip_on
    return changed


def _spread(n: int, device: torch.device) -> Tensor:
    """Numbers between -1 and 1."""
    return 2 * torch.rand(n, device=device) - 1


def _moved(pictures: Tensor, stretch: Tensor, shift: Tensor, gain: Tensor, rise: Tensor) -> Tensor:
    """Pictures ``(N, channels, height, width)``, each page stretched and shifted; zeros come from outside."""
    theta = torch.zeros(len(pictures), 2, 3, device=pictures.device)
    theta[:, 0, 0], theta[:, 0, 2] = 1 / stretch, 2 * shift
    theta[:, 1, 1], theta[:, 1, 2] = 1 / gain, 2 * rise
    grid = functional.affine_grid(theta, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, align_corners=False)


def _drift(signal: Tensor) -> Tensor:
    """A slow wave for each lead, up to half a period over its length."""
    n, leads, samples = signal.shape
    size = _DRIFT_MV * torch.randn(n, leads, 1, device=signal.device)
    phase = 6.283 * torch.rand(n, leads, 1, device=signal.device)
    return size * torch.sin(phase + torch.linspace(0, 3.14, samples, device=signal.device))
