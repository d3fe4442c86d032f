"""What is on disk: folders, pictures, captions, buckets and the plan of a run."""
