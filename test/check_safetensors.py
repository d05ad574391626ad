#!/usr/bin/env python3
"""Read a model file as the safetensors format is written down, with nothing of kith, and say what is not so."""
import json
import struct
import sys

SIZES = {"F32": 4, "F64": 8, "I32": 4, "I64": 8, "U8": 1}


def main(path):
    with open(path, "rb") as f:
        raw = f.read()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    data = raw[8 + length :]
    metadata = header.pop("__metadata__")
    assert all(isinstance(v, str) for v in metadata.values()), "metadata holds more than strings"
    assert metadata["format"] == "kith-model" and json.loads(metadata["params"])
    at = 0
    for name, entry in sorted(header.items(), key=lambda e: e[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        count = 1
        for size in entry["shape"]:
            count *= size
        assert begin == at and end - begin == count * SIZES[entry["dtype"]], f"{name} does not fit"
        assert (8 + length + begin) % SIZES[entry["dtype"]] == 0, f"{name} is not aligned"
        at = end
    assert at == len(data), "bytes after the last array"
    begin, end = header["items.text"]["data_offsets"]
    assert data[begin:end].decode().split("\0")[:-1] == ["Heat", "Ronin", "Alien", "Up"], "other item ids"


main(sys.argv[1])
