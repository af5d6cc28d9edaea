"""One recording: in and out as WFDB and CSV, and the rhythm in it."""
