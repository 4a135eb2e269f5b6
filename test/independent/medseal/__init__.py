"""A second reader of MedSeal's formats, written from docs/formats.md alone."""
