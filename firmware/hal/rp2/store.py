"""Files in the board's flash: a new one is written beside the old one and then takes its name, so one of the two is always whole."""

import os

from remnant_protocol.errors import STORE_FULL, RigError

_EXISTS = 17
_NO_SPACE = 28


class Store:
    """hal.contract.Store in the folder `kept`."""

    def __init__(self, folder="/kept"):
        self._folder = folder

    def load(self, name):
        try:
            with open(self._folder + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def save(self, name, data):
        path = self._folder + "/" + name
        try:
            try:
                os.mkdir(self._folder)
            except OSError as error:
                if error.errno != _EXISTS:
                    raise
            with open(path + ".new", "wb") as file:
                file.write(data)
            os.rename(path + ".new", path)
        except OSError as error:
            try:
                os.remove(path + ".new")
            except OSError:
                pass
            if error.errno == _NO_SPACE:
                raise RigError(STORE_FULL, where=name, value=len(data))
            raise
