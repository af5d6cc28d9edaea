"""What can go wrong, as one tree.

    LeadwiseError                 everything that leadwise raises on purpose
    ├── InputError                what was given cannot be used
    │   ├── UnreadablePage        no image, truncated, or larger than the limits
    │   ├── ForeignPage           an image, but no page of a known layout
    │   ├── DoubtfulPage          the known layout, but no twelve leads that can be trusted
    │   │   └── OtherScale        its calibration pulse says that its scale is no known one
    │   ├── TableError            a table that breaks its contract
    │   ├── Lost                  a file that took too long, or that ended the process that read it
    │   ├── MissingInput          a file or folder that must be there is not
    │   └── SettingsError         an unknown profile, notebook, parameter or model
    ├── LeakError                 one group on both sides of a split
    ├── WeightsError              weights that cannot be had or do not fit
    ├── FetchError                a published set that cannot be fetched or checked
    └── TrainingError             a training that cannot go on

Every message says what, which, why, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LeadwiseError(Exception):
    """Everything that leadwise raises on purpose."""


class InputError(LeadwiseError, ValueError):
    """What was given cannot be used."""


class UnreadablePage(InputError):
    """No image, a truncated one, or one larger than the limits."""


class ForeignPage(InputError):
    """An image, but no page of a known layout."""


class DoubtfulPage(InputError):
    """The known layout, but what is drawn there are not twelve leads of one heart, or they cannot be read."""


class OtherScale(DoubtfulPage):
    """A page whose calibration pulse is as high at no known gain: its voltages cannot be told."""


class TableError(InputError):
    """A table that breaks its contract."""


class Lost(InputError):
    """A file that took too long, or that ended the process that read it."""


class MissingInput(InputError):
    """A file or folder that must be there is not."""


class SettingsError(InputError):
    """An unknown profile, notebook, parameter or model."""


class LeakError(LeadwiseError):
    """One group on both sides of a split."""


class WeightsError(LeadwiseError):
    """Weights that cannot be had or do not fit."""


class FetchError(LeadwiseError):
    """A published set that cannot be fetched or checked."""


class TrainingError(LeadwiseError):
    """A training that cannot go on."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}."
