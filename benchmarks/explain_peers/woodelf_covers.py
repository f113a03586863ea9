"""WOODELF, path-dependent."""

import sys
import time

import lightgbm
import numpy as np
import pandas as pd
from woodelf import WoodelfExplainer

model, rows, _, out, n = sys.argv[1:6]
booster = lightgbm.Booster(model_file=model)
X = pd.DataFrame(np.load(rows)[: int(n)], columns=booster.feature_name())
explainer = WoodelfExplainer(booster, feature_perturbation="tree_path_dependent")
explainer.shap_values(X.head(100))
began = time.perf_counter()
found = explainer.shap_values(X)
print(time.perf_counter() - began)
np.save(out, np.asarray(found))
