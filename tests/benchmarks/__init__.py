"""What the README says about speed, measured. Each module is a program; `python -m tests.benchmarks` runs them all."""
