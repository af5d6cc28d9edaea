"""leadwise: printed 12-lead ECGs and recordings, from page images and beats to honest scores.

`leadwise.predict("page.jpg")` answers for one page, `leadwise.predict("100.hea")` for one recording;
`leadwise.digitize("scan.png")` gives the leads of a page of any form in millivolts;
`leadwise.load("leads12", seed=1, fold=2)` a published network. Research use only, not a medical device.
"""

from typing import TYPE_CHECKING, Any

from leadwise import names, quiet

if TYPE_CHECKING:
    from leadwise.pages.page_signals import PageSignals
    from leadwise.project.published import load
    from leadwise.serving.digitised import Digitised
    from leadwise.serving.predict import Answer
    from leadwise.serving.predict_recording import RecordingAnswer
    from leadwise.serving.predict_within_limits import digitize, predict

quiet.switch_off()  # here, since whatever of ours imports onnxruntime has imported this first

__version__ = names.VERSION

__all__ = [
    "Answer",
    "Digitised",
    "PageSignals",
    "RecordingAnswer",
    "__version__",
    "digitize",
    "load",
    "predict",
]


def __getattr__(name: str) -> Any:
    """`predict`, `digitize`, the types of their answers, and `load`, loaded when they are first asked for."""
    if name == "load":
        from leadwise.project.published import load

        return load
    if name in __all__:
        from leadwise.pages import page_signals
        from leadwise.serving import digitised, predict, predict_recording, predict_within_limits

        return {
            "predict": predict_within_limits.predict,
            "digitize": predict_within_limits.digitize,
            "Answer": predict.Answer,
            "Digitised": digitised.Digitised,
            "PageSignals": page_signals.PageSignals,
            "RecordingAnswer": predict_recording.RecordingAnswer,
        }[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
