"""Boosted trees as ONNX.

skl2onnx would do it, and does not with the onnx that is pinned here (1.20 writes truth values where onnx 1.23 takes
whole numbers alone), so the trees of scikit-learn's histogram boosting are written as they are: one node of ONNX.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ML, _OPSET = (
    3,
    18,
)  # versions of the operators; ai.onnx.ml's third is read by every onnxruntime that is allowed


def trees_as_onnx(model: Any, features: int) -> bytes:
    """A `HistGradientBoostingClassifier` of two or more classes; ``features (N, features)`` to ``probabilities``.

    Probabilities are ``(N, classes)``. No feature may be missing or a category.
    """
    from onnx import TensorProto, helper

    outputs = model.n_trees_per_iteration_
    nodes = _nodes(model)
    scores = helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["scores"],
        domain="ai.onnx.ml",
        n_targets=outputs,
        base_values=np.ravel(model._baseline_prediction).astype(float).tolist(),
        post_transform="NONE",
        **nodes,  # type: ignore[arg-type]  # its stubs know no attributes that are lists
    )
    if outputs == 1:  # of two classes the second is scored
        one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
        last = [
            helper.make_node("Sigmoid", ["scores"], ["second"]),
            helper.make_node("Sub", ["one", "second"], ["first"]),
            helper.make_node("Concat", ["first", "second"], ["probabilities"], axis=1),
        ]
        constants = [one]
    else:
        last, constants = [helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1)], []
    graph = helper.make_graph(
        [scores, *last],
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", features])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", max(outputs, 2)])],
        constants,
    )
    versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML)]
    file = helper.make_model(graph, opset_imports=versions, producer_name="leadwise", ir_version=9)
    return bytes(file.SerializeToString())


def _nodes(model: Any) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {
        name: []
        for name in (
            "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes",
            "nodes_truenodeids", "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids",
            "target_weights",
        )
    }  # fmt: skip
    trees = [(target, tree) for step in model._predictors for target, tree in enumerate(step)]
    for number, (target, tree) in enumerate(trees):
        nodes = tree.nodes
        leaf = nodes["is_leaf"].astype(bool)
        count = len(nodes)
        told["nodes_treeids"] += [number] * count
        told["nodes_nodeids"] += list(range(count))
        told["nodes_featureids"] += np.where(leaf, 0, nodes["feature_idx"]).astype(int).tolist()
        told["nodes_values"] += _not_above(np.where(leaf, 0.0, nodes["num_threshold"])).tolist()
        told["nodes_modes"] += ["LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf.tolist()]
        told["nodes_truenodeids"] += np.where(leaf, 0, nodes["left"]).astype(int).tolist()
        told["nodes_falsenodeids"] += np.where(leaf, 0, nodes["right"]).astype(int).tolist()
        at = np.flatnonzero(leaf)
        told["target_treeids"] += [number] * len(at)
        told["target_nodeids"] += at.tolist()
        told["target_ids"] += [target] * len(at)
        told["target_weights"] += nodes["value"][at].astype(float).tolist()
    return told


def _not_above(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is no larger: what is float32 itself lies on the same side of it."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
