"""Pages that are drawn: the known form, any form, foreign ones, and trials of the way there and back."""
