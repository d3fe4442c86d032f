"""Masks: pictures that say which parts of others are learnt."""
