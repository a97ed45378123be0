"""Reasons for refusing operations on traced tensors that have no rule."""

from __future__ import annotations

from engine.trace.comparisons import COMPARISON

_ATTENTIONS = (
    "_native_multi_head_attention", "_scaled_dot_product_attention_math", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_transformer_encoder_layer_fwd",
)  # fmt: skip
_DROPOUTS = ("bernoulli", "bernoulli_", "native_dropout")
_WORDS = {
    **dict.fromkeys(_ATTENTIONS, "attention"),
    "_softmax": "softmax",
    "_log_softmax": "log softmax",
    "log_sigmoid_forward": "logsigmoid",
    "native_layer_norm": "layer norm",
    "native_group_norm": "group norm",
    "_local_scalar_dense": "a tensor's value",
    "max_pool2d_with_indices": "max pooling",
    "max_pool3d_with_indices": "max pooling",
    "adaptive_max_pool2d": "max pooling",
    "avg_pool2d": "average pooling",
    "avg_pool3d": "average pooling",
    "_adaptive_avg_pool2d": "average pooling",
    "linalg_cross": "a cross product",
    "grid_sampler_2d": "sampling a grid at a point",
    "grid_sampler_3d": "sampling a grid at a point",
}
_BRANCH = "decides by a value that depends on the input ({}); what a network does must not depend on its input"
_JUMP = "{} jumps; only continuous piecewise linear functions can be drawn"
_RANDOM = "{} is random; a network must be a fixed function"
_DROPOUT = (
    "{} is random, as in a dropout that stays on in eval mode (pass training=self.training to it); a network must be a "
    "fixed function"
)
_NORM = "{} divides by a quantity that depends on the input; not piecewise linear"
_PIECEWISE = "{} is piecewise linear, but not supported yet; use torch.amax, torch.amin or torch.sort"
_LINEAR = "{} is affine, but not supported yet"
_LAST = (
    "{} is not piecewise linear; where it is the network's last operation it can be left out, since it is increasing: "
    "the regions stay the same and the level set belongs to another level"
)
_PRODUCT = "{} multiplies two values that depend on the input; the product is not piecewise linear"
_PARTLY = ("Tanhshrink",)
_SMOOTH = "{} is not piecewise linear; only networks of ReLU-like layers can be drawn exactly"
_REASONS = {
    COMPARISON: ("all", "any", "bitwise_and", "bitwise_or", "isclose", "logical_and", "logical_or", "logical_xor"),
    _BRANCH: ("_local_scalar_dense", "equal", "is_nonzero", "nonzero", "argmax", "argmin"),
    _JUMP: ("ceil", "floor", "fmod", "frac", "hardshrink", "heaviside", "remainder", "round", "sgn", "sign", "trunc"),
    _NORM: ("native_layer_norm", "native_group_norm"),
    _PIECEWISE: (
        "adaptive_max_pool2d", "kthvalue", "max_pool2d_with_indices", "max_pool3d_with_indices", "median", "nanmedian",
    ),
    _LINEAR: (
        "_adaptive_avg_pool2d", "avg_pool2d", "avg_pool3d", "index_put", "scatter_add", "upsample_bilinear2d",
        "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "upsample_trilinear3d",
    ),
    _LAST: ("tanh", "sigmoid"),
    _PRODUCT: (*_ATTENTIONS, "cumprod", "grid_sampler_2d", "grid_sampler_3d", "linalg_cross", "prod"),
    _SMOOTH: (
        "_log_softmax", "_softmax", "acos", "asin", "atan", "atan2", "celu", "cos", "cosh", "elu",
        "erf", "erfc", "exp", "exp2", "expm1", "gelu", "glu", "hardswish", "hypot", "log", "log1p", "log2",
        "log_sigmoid_forward", "logcumsumexp", "logit", "logsumexp", "mish", "reciprocal", "rsqrt", "silu", "sin",
        "sinc", "sinh", "softplus", "sqrt", "square", "std", "tan", "var",
    ),
}  # fmt: skip


def reason(name: str, random: bool, layer_class: str) -> str:
    """Return the reason for refusing an ATen operation without a rule in a layer of a class."""
    words = _WORDS.get(name, name)
    if name in ("tanh", "sigmoid") and layer_class in _PARTLY:  # no advice that is meant for the whole layer
        return _SMOOTH.format(layer_class.lower())
    for sentence, names in _REASONS.items():
        if name in names:
            return sentence.format(words)
    if random:
        return (_DROPOUT if name in _DROPOUTS else _RANDOM).format(words)
    return f"the operation {words} is not supported; write it with relu, abs, clamp, maximum, minimum and linear layers"
