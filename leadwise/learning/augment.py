"""What a page can really show: the same heart a little earlier, taller, faster, noisier, or with a lead off.

Whole batches at once, on the device on which they are; drawn from torch's global generator, so that a resumed
training draws the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from leadwise.models.beat_rhythm import MARGIN, mix

_STRETCH, _SHIFT = 0.08, 0.06  # of the length, each way: rates differ more, within a class
_GAIN, _RISE = 0.15, 0.05  # of the height
_LEAD_OFF, _STRIP_OFF = 0.25, 0.15  # more than on real pages: no answer should hang on one lead
_DRIFT_MV, _NOISE_MV, _NOISE_INK = 0.08, 0.01, 0.03
_BEAT_SHIFT = 0.5  # some 20 ms
_FIRST, _SECOND, _MOVED = 0.5, 0.15, 4  # of beats: leads alone, and samples, each way
_FLIPPED, _TAPS, _TAP = 0.2, 9, 0.12
_PEN = 0.35  # exponent of the ink's brightness, each way: a thinner or thicker pen, once shrunk


def augmented(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """The views of a batch of pages (`leadwise.sets.views`), changed as pages differ; ink as 0 to 1.

    Time and amplitude are stretched alike in all views of a page, a lead or strip that is off is off in all of them.
    """
    if "usual_beat" in views:
        return _augmented_beats(views)
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


def _augmented_beats(views: dict[str, Tensor]) -> dict[str, Tensor]:
    """Views of single beats (`leadwise.recordings.beat_views`) in one mix of their leads, as electrodes differ.

    The first lead half of the time, else the second or any mix of both; through another short filter, upside down,
    shifted, taller, wandering, noisier; the record's usual interval a little longer or shorter.
    """
    beat, usual = views["beat"].float(), views["usual_beat"].float()
    n, device = len(beat), beat.device
    angle = torch.pi * _spread(n, device)
    shares = torch.stack([angle.cos(), angle.sin()], dim=1)
    kind = torch.rand(n, 1, device=device)
    shares = torch.where(kind < _FIRST, torch.tensor([1.0, 0.0], device=device), shares)
    shares = torch.where(kind > 1 - _SECOND, torch.tensor([0.0, 1.0], device=device), shares)
    beat, usual = mix(beat, usual, shares)
    over = torch.where(torch.rand(n, 1, 1, device=device) < _FLIPPED, -1.0, 1.0)
    beat, usual = (over * _filtered(torch.stack([beat, usual], dim=1))).unbind(dim=1)
    moved = torch.randint(-_MOVED, _MOVED + 1, (n, 1), device=device) * (
        torch.rand(n, 1, device=device) < 0.5
    )
    samples = beat.shape[1] - 2 * MARGIN
    places = torch.arange(samples, device=device) + MARGIN
    beat, usual = beat.gather(1, places + moved), usual[:, MARGIN : MARGIN + samples]
    gain = 1 + 0.15 * torch.randn(n, 1, device=device)
    wave = torch.linspace(0, 6.283, samples, device=device) * (0.2 + 1.5 * torch.rand(n, 1, device=device))
    wander = (
        torch.sin(wave + 6.283 * torch.rand(n, 1, device=device)) * 0.06 * torch.rand(n, 1, device=device)
    )
    noise = 0.05 * torch.rand(n, 1, device=device) ** 2 * torch.randn_like(beat)
    intervals = views["intervals"].float()
    usual_interval = torch.zeros(n, intervals.shape[1], device=device)
    usual_interval[:, :4] = 0.1 * torch.randn(n, 1, device=device)  # over the record's median and mean
    intervals = intervals + usual_interval + 0.02 * torch.randn_like(intervals)
    return {
        "beat": (beat * gain + wander + noise)[:, None],
        "usual_beat": (usual * gain)[:, None],
        "intervals": intervals,
    }


def _filtered(views: Tensor) -> Tensor:
    """Signals ``(N, views, samples)`` through a short random filter, one for each of the N."""
    n = len(views)
    taps = _TAP * torch.randn(n, _TAPS, device=views.device) * torch.rand(n, 1, device=views.device)
    taps[:, _TAPS // 2] += 1
    by_view = views.transpose(0, 1)  # the N are groups
    return functional.conv1d(by_view, taps[:, None], padding=_TAPS // 2, groups=n).transpose(0, 1)


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
