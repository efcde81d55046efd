"""The golden bytes of protocol/vectors, for every interpreter."""

import json


def vectors(name):
    """The list behind protocol/vectors/<name>.json."""
    folder = __file__.rpartition("/")[0] + "/../../protocol/vectors/"
    with open(folder + name + ".json") as file:
        return json.loads(file.read())["vectors"]


def unhex(text):
    from binascii import unhexlify

    return unhexlify(text)
