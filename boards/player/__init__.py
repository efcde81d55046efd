"""Plays a program ahead of time: the firmware's own code on the plant without noise, leaping through stretches in which nothing changes."""
