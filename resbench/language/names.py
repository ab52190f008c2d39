"""Check whether a name in a spec can be a node, a param or a file.

fx and nn.Module break on such names in many ways, most of them late (KeyError, "please report a bug", a SyntaxError in
generated code; `self` builds and fails only when run), so they are refused here. The list of attributes is frozen, so
that a spec does not become invalid with another torch; tests/language/test_language_names.py holds it against the one installed.
"""

from __future__ import annotations

import keyword
import re

from resbench.escape import printable

# fmt: off
MODULE_ATTRIBUTES = frozenset(
    """
T_destination add_module add_submodule apply bfloat16 buffers call_super_init children code compile cpu cuda
delete_all_unused_submodules delete_submodule double dump_patches eval extra_repr float forward
get_buffer get_extra_state get_parameter get_submodule graph half ipu load_state_dict meta modules mtia
named_buffers named_children named_modules named_parameters parameters print_readable recompile
register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
set_submodule shape_env share_memory state_dict to to_empty to_folder train training type xpu zero_grad
""".split()  # noqa: SIM905  (a list of 70 strings is harder to read)
)
# fmt: on
RESERVED = frozenset({"self", "torch", "nn", "math", "input", "output", "device", "dtype", "name"})
VALUES = frozenset({"true", "false", "null"})  # YAML and `$( )` read them as values
UNIT_NAMES = (
    "in", "out", "stride", "unit", "units", "pos", "len", "stage", "stages", "since",
    "first", "last", "stage_first", "stage_last", "transition",
)  # fmt: skip
NETWORK_NAMES = ("classes", "layers", "expansion", "after_stem", "after_last")
STAGE_NAMES = ("unit", "units", "pos", "len", "stage", "stages")
KNOWN = frozenset({"channels", *UNIT_NAMES, *NETWORK_NAMES})
MEANINGS = {  # the meaning of each known name, for the reference and for editors
    "channels": "channels of what reaches this op",
    "in": "channels that enter the unit; in a block, those that enter the block",
    "out": "channels that leave the unit, as its stage says; not known where the stage names none",
    "stride": "the unit's stride: the stage's at its first unit, else 1",
    "unit": "number of this unit in the network",
    "units": "number of units in the network",
    "pos": "position of this unit in its stage",
    "len": "number of units in its stage",
    "stage": "number of its stage",
    "stages": "number of stages",
    "since": "units since the shape last changed, the one that changed it counted; 0 at the first unit of the network",
    "first": "true at the first unit of the network",
    "last": "true at the last unit of the network",
    "stage_first": "true at the first unit of a stage",
    "stage_last": "true at the last unit of a stage",
    "transition": "true where the stride is not 1 or `$in` is not `$out`",
    "classes": "number of classes of the data",
    "layers": "the unit's `boundary.layers`: weight layers in F",
    "expansion": "the unit's `boundary.expansion`: width out over width inside",
    "after_stem": "the ops that the first stage's unit needs behind the stem",
    "after_last": "the ops that the last stage's unit needs behind the last unit",
}
_FORM = re.compile(r"[a-z][a-z0-9_]*")
MAX_LENGTH = 60


def why_not(name: str) -> str | None:
    """Return the reason why a node, param or file cannot have this name, or None.

    >>> why_not("shortcut"), why_not("forward")
    (None, '`forward` is an attribute of every torch module')
    """
    if not _FORM.fullmatch(name):
        return f"`{printable(name)}` is not a legal name: expected a small letter, then small letters, digits and `_`"
    if len(name) > MAX_LENGTH:
        return f"`{name[:20]}...` has {len(name)} characters; at most {MAX_LENGTH} are allowed"
    if keyword.iskeyword(name):
        return f"`{name}` is a word of Python"
    if name in MODULE_ATTRIBUTES:
        return f"`{name}` is an attribute of every torch module"
    if name in VALUES:
        return f"`{name}` is a value, not a name"
    if name in RESERVED:
        return f"`{name}` is taken in generated code"
    return None
