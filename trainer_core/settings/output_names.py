"""Which output names are file names on every system that the results may travel to."""

from __future__ import annotations

import unicodedata

from trainer_core.texts import T, Text, text

# File systems allow 255 bytes. Endings such as "-step00000200.safetensors" and the temporary
# name of a file being written need up to 55 of them.
MAX_NAME_BYTES = 200

_SEPARATORS = "/\\"
_FORBIDDEN = '<>:"|?*'  # by Windows
_UNPRINTABLE = {"Cc", "Cs"}  # Unicode categories: control characters, halves of surrogate pairs

# Devices on Windows, with any ending and in any case. The superscript digits count too.
# Source: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {
    port + digit for port in ("COM", "LPT") for digit in "123456789¹²³"
}


def check_output_name(name: str) -> Text | None:
    """Say what is wrong with ``name`` as the beginning of file names; None if nothing is."""
    if not name.strip():
        return text(T("Problems", "The output name is empty."))
    if any(separator in name for separator in _SEPARATORS):
        return text(T("Problems", "{name} is a path; folders belong in Output folder."), name=name)
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        return text(T("Problems", "The output name contains an unprintable character."))
    forbidden = "".join(character for character in _FORBIDDEN if character in name)
    if forbidden:
        template = T("Problems", "{name} contains {characters}, which Windows forbids in names.")
        return text(template, name=name, characters=" ".join(forbidden))
    if name[-1] in ". ":
        return text(T("Problems", "{name} ends in a dot or a blank."), name=name)
    if name.split(".")[0].rstrip().upper() in _DEVICES:
        return text(T("Problems", "{name} is the name of a device on Windows."), name=name)
    if len(name.encode()) > MAX_NAME_BYTES:
        template = T("Problems", "The output name is longer than {limit} [limit:byte|bytes].")
        return text(template, limit=MAX_NAME_BYTES)
    return None
