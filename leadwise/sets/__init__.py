"""Many of them: samples, catalogues, downloads, labels, persons, arrays on disk."""
