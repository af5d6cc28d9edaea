"""One recording: WFDB in and out, filters, beats, rhythm."""
