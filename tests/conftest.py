"""The surroundings of every test: no display, one thread, no network, folders of its own."""

import atexit
import os
import shutil
import tempfile

# Before anything imports Qt or torch: both read the environment once.
_FOLDER = tempfile.mkdtemp(prefix="loom-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

os.environ.update(
    {
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": f"{_FOLDER}/hub",
        "LORA_LOOM_HOME": f"{_FOLDER}/home",
        "LORA_LOOM_CACHE": f"{_FOLDER}/cache",
        "XDG_CACHE_HOME": f"{_FOLDER}/xdg-cache",
        "XDG_CONFIG_HOME": f"{_FOLDER}/xdg-config",
        "XDG_DATA_HOME": f"{_FOLDER}/xdg-data",
    }
)
# A user's choice of style, scale or language must not reach the tests.
for _name in ("LANGUAGE", "QT_SCALE_FACTOR", "QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME"):
    os.environ.pop(_name, None)
