"""The prompts of sample pictures: lines, files and what is wrong with them."""
