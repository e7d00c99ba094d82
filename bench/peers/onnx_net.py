"""The prediction of one batch by a runtime for ONNX models.

usage: onnx_net.py ENGINE FORM MODEL IMAGES LOGITS N,C,H,W THREADS

ENGINE is onnxruntime or openvino. FORM is "spinning" or "sleeping", which says how ONNX Runtime's
threads wait, or "latency" for OpenVINO. IMAGES has the floats of the batch in row-major order,
little-endian. The logits are written to LOGITS in the same form, to be checked before the time is
measured.

Writes "ready", then for every line read the milliseconds of one run.
"""

import sys
import time

import numpy as np

engine, form, model, images, logits, shape, threads = sys.argv[1:]
x = np.fromfile(images, "<f4").reshape([int(size) for size in shape.split(",")])

if engine == "onnxruntime":
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "1" if form == "spinning" else "0"
    )
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    version = ort.__version__

    def run():
        return session.run(None, {name: x})[0]

elif engine == "openvino":
    import openvino as ov

    core = ov.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": int(threads)})
    compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    version = ov.__version__

    def run():
        return compiled(x)[0]

else:
    sys.exit(f"there is no engine {engine}")

np.asarray(run(), "<f4").tofile(logits)
for _ in range(10):
    run()
print("ready", version, flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    run()
    print((time.perf_counter() - begun) * 1e3, flush=True)
