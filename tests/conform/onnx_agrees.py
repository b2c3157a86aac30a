#!/usr/bin/env python3
"""Judges an ONNX file with the standard's own tools.

    onnx_agrees.py check MODEL PLAIN            onnx.checker with shape inference; PLAIN is written as the same
                                                model with QONNX nodes spelled out, which ONNX Runtime can run
    onnx_agrees.py run PLAIN X LOGITS MOST      ONNX Runtime's logits against ours (raw little-endian floats);
                                                at most MOST images may differ

Exit code 0: fine; 1: not, with the reason on stdout; 77: the package that judges is not installed.
"""
import sys

DOMAIN = "qonnx.custom_op.general"
TOLERANCE = 1e-4


def say(code, text):
    print(text)
    sys.exit(code)


def need(name):
    try:
        return __import__(name)
    except ImportError:
        say(77, f"{sys.executable} has no package '{name}'")


def quantizers_in_plain_onnx(onnx, model):
    """ONNX Runtime does not know QONNX: its nodes are spelled out by their definition (Round is half to even)."""
    from onnx import helper, numpy_helper

    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []

    def constant(name, value):
        model.graph.initializer.append(helper.make_tensor(name, onnx.TensorProto.FLOAT, [], [value]))
        return name

    for node in model.graph.node:
        out, x = node.output[0], node.input[0]
        if node.domain != DOMAIN:
            nodes.append(node)
        elif node.op_type == "BipolarQuant":
            zero = constant(out + "/0", 0.0)
            nodes.append(helper.make_node("GreaterOrEqual", [x, zero], [out + "/sign"]))
            nodes.append(helper.make_node("Neg", [node.input[1]], [out + "/minus"]))
            nodes.append(helper.make_node("Where", [out + "/sign", node.input[1], out + "/minus"], [out]))
        else:
            scale, zero = node.input[1:3]
            attr = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            bits = int(constants[node.input[3]])
            low = -(2 ** (bits - 1)) + attr["narrow"] if attr["signed"] else 0
            high = 2 ** (bits - 1) - 1 if attr["signed"] else 2**bits - 1
            limits = [constant(out + "/low", float(low)), constant(out + "/high", float(high))]
            steps = [
                ("Div", [x, scale]),
                ("Add", [out + "/1", zero]),
                ("Clip", [out + "/2"] + limits),
                ("Round", [out + "/3"]),
                ("Sub", [out + "/4", zero]),
                ("Mul", [out + "/5", scale]),
            ]
            for i, (op, inputs) in enumerate(steps, 1):
                nodes.append(helper.make_node(op, inputs, [out if i == len(steps) else f"{out}/{i}"]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def check(path, plain_path):
    onnx = need("onnx")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    if model.graph.input[0].type.tensor_type.shape.dim[0].dim_param != "N":
        say(1, "the batch dimension is not 'N'")
    plain = quantizers_in_plain_onnx(onnx, model)
    onnx.checker.check_model(plain, full_check=True)
    onnx.save(plain, plain_path)


def run(path, x_path, logits_path, most_different):
    runtime, np = need("onnxruntime"), need("numpy")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    x = np.fromfile(x_path, "<f4").reshape([-1] + entry.shape[1:])
    theirs = session.run(None, {entry.name: x})[0]
    ours = np.fromfile(logits_path, "<f4").reshape(theirs.shape)
    worst = np.abs(theirs - ours).max(axis=1) / max(1.0, np.abs(theirs).max())
    wrong = int((~(worst <= TOLERANCE)).sum())
    verdict = f"{len(x)} images, {wrong} differ by over {TOLERANCE:g}, the worst by {worst.max():.2g}"
    say(int(wrong > int(most_different)), verdict)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "check":
        check(*sys.argv[2:])
    elif len(sys.argv) == 6 and sys.argv[1] == "run":
        run(*sys.argv[2:])
    else:
        say(2, __doc__)
