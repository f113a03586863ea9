"""onnxruntime on two threads; its converter knows 32-bit numbers only."""

import sys
import time
from pathlib import Path

import lightgbm
import numpy as np
import onnx  # type: ignore[import-not-found]
import onnxruntime  # type: ignore[import-not-found]
from onnxmltools import convert_lightgbm  # type: ignore[import-not-found]
from onnxmltools.convert.common.data_types import FloatTensorType  # type: ignore[import-not-found]

model, rows, out = sys.argv[1:4]
X = np.load(rows).astype(np.float32)
began = time.perf_counter()
text = Path(model).read_text(encoding="utf-8").replace("objective=binary sigmoid:1", "objective=regression")
shape = [("rows", FloatTensorType([None, X.shape[1]]))]
converted = convert_lightgbm(lightgbm.Booster(model_str=text), initial_types=shape, target_opset=15)
# What follows the sum of the leaves makes labels and probabilities of it.
del converted.graph.node[1:], converted.graph.output[:]
summed = onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [None, 1])
converted.graph.output.append(summed)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 2
session = onnxruntime.InferenceSession(converted.SerializeToString(), options)
session.run(None, {"rows": X[:100]})
ready = time.perf_counter() - began
began, used = time.perf_counter(), time.process_time()
found = session.run(None, {"rows": X})[0]
print(time.perf_counter() - began, time.process_time() - used, ready)
np.save(out, np.asarray(found, dtype=np.float64).ravel())
