"""The view of a picture folder: thumbnails, concepts, findings, and what an epoch will be."""
