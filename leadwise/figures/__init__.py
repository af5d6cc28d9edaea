"""Pictures: one style, and a file a subject."""
