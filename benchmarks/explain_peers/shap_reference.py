"""shap.TreeExplainer, interventional, against one reference account."""

import sys
import time

import lightgbm
import numpy as np
import shap

model, rows, reference, out, n = sys.argv[1:6]
X = np.load(rows)[: int(n)]
explainer = shap.TreeExplainer(
    lightgbm.Booster(model_file=model),
    data=np.load(reference)[None, :],
    feature_perturbation="interventional",
)
began = time.perf_counter()
found = explainer.shap_values(X, check_additivity=False)
print(time.perf_counter() - began)
np.save(out, np.asarray(found))
