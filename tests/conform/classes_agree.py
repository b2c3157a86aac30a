#!/usr/bin/env python3
"""Judges the classes that an ONNX file gives in ONNX Runtime.

    classes_agree.py MODEL X CLASSES LEAST    X: images, raw little-endian floats; CLASSES: one byte an image, what the
                                              integer graph says; at least the share LEAST must be equal

Exit code 0: fine; 1: not, with the numbers on stdout; 77: the package that judges is not installed.
"""
import sys

BATCH = 500


def main(path, x_path, classes_path, least):
    try:
        import numpy as np
        import onnxruntime
    except ImportError as missing:
        print(f"{sys.executable} has no package '{missing.name}'")
        return 77
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    ours = np.fromfile(classes_path, "u1")
    x = np.fromfile(x_path, "<f4").reshape([len(ours)] + entry.shape[1:])
    theirs = np.concatenate(
        [session.run(None, {entry.name: x[i : i + BATCH]})[0].argmax(axis=1) for i in range(0, len(x), BATCH)]
    )
    equal = int((theirs == ours).sum())
    print(f"{equal} of {len(ours)} images have the same class")
    return int(equal < float(least) * len(ours))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
