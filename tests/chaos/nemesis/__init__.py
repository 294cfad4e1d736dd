"""Schedules of disasters, drawn by lot, on real servers; what is said to be CONTINUOUS is compared with the model."""
