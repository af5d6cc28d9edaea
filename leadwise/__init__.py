"""leadwise: printed 12-lead ECGs and recordings, from page images and beats to honest scores.

`leadwise.predict("page.jpg")` answers for one page, `leadwise.predict("100.hea")` for one recording. Research use
only, not a medical device.
"""

from typing import TYPE_CHECKING, Any

from leadwise import names, quiet

if TYPE_CHECKING:
    from leadwise.serving.predict import Answer
    from leadwise.serving.predict_recording import RecordingAnswer
    from leadwise.serving.predict_within_limits import predict

quiet.switch_off()  # here, since whatever of ours imports onnxruntime has imported this first

__version__ = names.VERSION

__all__ = ["Answer", "RecordingAnswer", "__version__", "predict"]


def __getattr__(name: str) -> Any:
    """`predict` and the types of its answers, loaded when they are first asked for."""
    if name in ("predict", "Answer", "RecordingAnswer"):
        from leadwise.serving import predict, predict_recording, predict_within_limits

        return {
            "predict": predict_within_limits.predict,
            "Answer": predict.Answer,
            "RecordingAnswer": predict_recording.RecordingAnswer,
        }[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
