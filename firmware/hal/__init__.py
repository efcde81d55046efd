"""The hardware, one module a chip. `contract` says what the rig needs; nothing else in the firmware touches a pin."""
