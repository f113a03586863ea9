"""lleaves (LightGBM's trees compiled to machine code), on two threads; the code is kept beside the model."""

import sys
import time

import lleaves  # type: ignore[import-not-found]
import numpy as np

model, rows, out = sys.argv[1:4]
X = np.load(rows)
began = time.perf_counter()
trees = lleaves.Model(model_file=model)
trees.compile(cache=f"{model}.bin", raw_score=True)
trees.predict(X[:100], n_jobs=2)
ready = time.perf_counter() - began
began, used = time.perf_counter(), time.process_time()
found = trees.predict(X, n_jobs=2)
print(time.perf_counter() - began, time.process_time() - used, ready)
np.save(out, found)
