"""leadwise: printed 12-lead ECGs, from page images to honest scores.

`leadwise.predict("page.jpg")` answers for one page. Research use only, not a medical device.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadwise.serving.predict import Answer, predict

__version__ = "0.1.0"

__all__ = ["Answer", "__version__", "predict"]


def __getattr__(name: str) -> Any:
    """`predict` and `Answer`, loaded when they are first asked for."""
    if name in ("predict", "Answer"):
        from leadwise.serving import predict as room

        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
