"""What is published of runs, and what is said of it: scores, openings, tables, sentences, documents."""
