"""One printed page: reading, layout, leads, header."""
