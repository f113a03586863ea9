"""LightGBM's own raw scores, on two threads."""

import sys
import time

import lightgbm
import numpy as np

model, rows, out = sys.argv[1:4]
X = np.load(rows)
began = time.perf_counter()
booster = lightgbm.Booster(model_file=model)
booster.predict(X[:100], raw_score=True, num_threads=2)
ready = time.perf_counter() - began
began, used = time.perf_counter(), time.process_time()
found = np.asarray(booster.predict(X, raw_score=True, num_threads=2))
print(time.perf_counter() - began, time.process_time() - used, ready)
np.save(out, found)
