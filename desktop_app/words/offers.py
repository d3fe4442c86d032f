"""What the dataset says of files and folders that are held over it or were dropped on it."""

from __future__ import annotations

from desktop_app.models.pictures.picture_offer import Offer, left_out
from desktop_app.translation import shown
from trainer_core.texts import T


def invitation(offer: Offer) -> str:
    """Return what a drop would do."""
    folders, pictures = len(offer.folders), len(offer.pictures)
    if folders and pictures:
        words = T("App", "Drop to train these (folders: {folders}, pictures: {pictures})")
        return shown(words, folders=folders, pictures=pictures)
    if pictures:
        words = T("App", "Drop to train [count:this picture|these {count} pictures]")
        return shown(words, count=pictures)
    if folders:
        words = T("App", "Drop to train [count:this folder|these {count} folders]")
        return shown(words, count=folders)
    return shown(T("App", "This cannot be trained"))


def explanation(offer: Offer, *, has_pictures: bool) -> str:
    """Return what else there is to know before the drop."""
    if offer.others:
        return left_out(offer)
    if has_pictures:
        words = T("App", "You can add to the pictures that are there, or use these instead.")
        return shown(words)
    return ""
