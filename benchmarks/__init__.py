"""Speed and memory of `utils` beside what a reader would otherwise use; `python -m benchmarks` runs them."""
