"""What instructors and students call: `course data`, `run`, `check`, `release`, `normalise`."""
