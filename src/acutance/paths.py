"""Where every kind of file lies: the only place a path is spelled.

All are relative to the root of the project. `{…}` are the identities of spec.py: a name, then `@`,
then the digest of all that can change the bytes.
"""

from pathlib import Path

PARAMS = "params.yaml"
STUDIES = "workflow/studies"
DEVICES = "workflow/devices.yaml"
PUBLISHED = "data/published"
MANIFEST = "data/manifests/{dataset}.csv"
KEYS = "data/released/keys.yaml"
RELEASED = "data/released/{released}.yaml"
DOWNLOADS = "data/downloads"
ASSETS = "data/assets"
ASSET = ASSETS + "/{file}"

HR = "data/hr/{dataset}"
LR = "data/lr/{pairs}"
PACKED = "data/packed/{pairs}"
RUN = "results/runs/{run}"
WEIGHTS = RUN + "/weights.safetensors"
LOG = RUN + "/log.csv"
RUN_RECORD = RUN + "/run.json"
WHOLE_RUN = (WEIGHTS, LOG, RUN_RECORD)
IMPORTED_RUN = (WEIGHTS, RUN_RECORD)  # nobody's training is logged here
STATE = "results/state/{run}"
SR = "results/sr/{run}/{test}"
SCORES = "results/scores/{run}/{test}.csv"
PANELS = "results/panels/{drawn}"
SKETCH = "results/state/panels/{drawn}"  # of the SR images that were there

RATES = "results/rates/{device}.json"
STATUS = "results/status/{study}.html"
LOGS = "results/logs"
PLAN = "results/plan/{study}.json"
COUNTS = "results/counts/{counted}.csv"
CALIBRATION = "results/tables/{study}/calibration.csv"
TABLE = "results/tables/{study}/{paper}/{table}.csv"
METRICS = "results/tables/{study}/metrics.json"
CURVES = "results/tables/{study}/curves.csv"
SIZES = "results/tables/{study}/{paper}/sizes.csv"
CLAIMS = "results/tables/{study}/{paper}/claims.csv"
FIGURES = "results/tables/{study}/{paper}/figures.csv"
SHOWN = "results/tables/{study}/{paper}/panels.csv"
REPORT = "reports/{study}"
MADE = "results/tables/{study}/made@{made}"


def root() -> Path:
    """Returns the project's root: the nearest folder from here upwards that holds params.yaml."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PARAMS).is_file():
            return folder
    return here
