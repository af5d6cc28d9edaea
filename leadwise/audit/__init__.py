"""What is wrong with a folder of pages: facts, findings, report."""
