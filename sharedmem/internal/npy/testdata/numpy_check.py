"""Reads .npy files that Go wrote, and writes some for Go to read.

The test gives its cases on standard input and reads the findings on standard output, both as JSON.
"""

import json
import sys
import warnings

import numpy as np

try:
    from numpy.lib import _format_impl as format_module  # NumPy 2
except ImportError:
    from numpy.lib import format as format_module

warnings.simplefilter("ignore")  # of saving in a version that an old NumPy cannot read


def offsets(dtype):
    """The names and offsets of all fields, also those of structures within."""
    dtype = dtype.base
    while dtype.subdtype is not None:
        dtype = dtype.base
    return [[name, dtype.fields[name][1], offsets(dtype.fields[name][0])] for name in dtype.names or ()]


def save(case):
    dtype = eval(case["Dtype"])
    a = np.zeros(case["Shape"], dtype, order="F" if case["Fortran"] else "C")
    version = case["Version"] and tuple(case["Version"])
    with open(case["File"], "wb") as f:
        format_module.write_array(f, a, version=version)
    return {
        "Descr": dtype.str if dtype.names is None else repr(dtype.descr),
        "Size": dtype.itemsize,
        "Offsets": offsets(dtype),
        "Fortran": a.flags.f_contiguous and not a.flags.c_contiguous,
    }


def load(case):
    a = np.load(case["File"], allow_pickle=True)  # allows long headers, too
    dtype = eval(case["Dtype"])
    if a.dtype != dtype or offsets(a.dtype) != offsets(dtype) or a.dtype.itemsize != dtype.itemsize:
        return f"dtype {a.dtype!r}, want {dtype!r}"
    if a.shape != tuple(case["Shape"]):
        return f"shape {a.shape}, want {tuple(case['Shape'])}"
    if not a.flags["F_CONTIGUOUS" if case["Fortran"] else "C_CONTIGUOUS"]:
        return f"flags {a.flags}"
    return ""


cases = json.load(sys.stdin)
json.dump(
    {
        "Version": np.__version__,
        "Growth": hasattr(format_module, "GROWTH_AXIS_MAX_DIGITS"),
        "Save": [save(case) for case in cases["Save"]],
        "Load": [load(case) for case in cases["Load"]],
    },
    sys.stdout,
)
