"""The wire between app and trainer: events, commands and their one line of JSON each."""
