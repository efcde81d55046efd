"""The RP2040: hal/contract.py on PIO, DMA, ADC and flash. README.md says which part of the chip does what."""
