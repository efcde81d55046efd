"""The rig: everything the board decides. Imports `remnant_protocol`, is handed its hardware (hal/contract.py), knows no chip."""
