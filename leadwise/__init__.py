"""leadwise: printed 12-lead ECGs, from page images to honest scores.

Research use only, not a medical device.
"""

__version__ = "0.1.0"
