"""What instructors run: take in, repair, run in a sandbox, judge outside, record, tell."""
