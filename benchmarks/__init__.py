"""Speed and memory of `utils` and `grading` beside what one would otherwise use; `python -m benchmarks` runs them."""
