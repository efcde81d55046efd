"""Run a target on every file of a folder and print what it says of each: replay.py TARGET FOLDER FUZZ_FOLDER. Portable."""

import os
import sys

name, folder, home = sys.argv[1:4]
sys.path.insert(0, home)
target = __import__("target_" + name)
for file in sorted(os.listdir(folder)):
    with open(folder + "/" + file, "rb") as input_file:
        data = input_file.read()
    try:
        print(file, target.fuzz_one(data))
    except Exception as error:
        print(file, "RAISED", type(error).__name__, error)
